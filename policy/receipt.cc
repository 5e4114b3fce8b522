#include "policy/receipt.h"

namespace proofgate::policy {

std::string EncodeReceipt(const Receipt& receipt) {
  json::Array objects;
  for (const Object& object : receipt.objects) objects.push_back(ObjectJson(object));
  json::Array except;
  for (const std::string& name : receipt.except) except.push_back(json::Bytes(name));
  json::Object body{{"format", 1},
                    {"tenant", receipt.tenant},
                    {"domain", receipt.domain},
                    {"host", receipt.host},
                    {"boot_id", receipt.boot_id},
                    {"canon", receipt.canon},
                    {"rule", receipt.rule},
                    {"standing", receipt.is_standing},
                    {"principal", receipt.principal},
                    {"kind", KindName(receipt.kind)},
                    {"objects", std::move(objects)},
                    {"except", std::move(except)},
                    {"sequence", json::Integer(receipt.sequence)},
                    {"not_before_boot_ns", json::Integer(receipt.not_before_boot_ns)},
                    {"expires_boot_ns", json::Integer(receipt.expires_boot_ns)},
                    {"not_before_utc", receipt.not_before_utc},
                    {"expires_utc", receipt.expires_utc},
                    {"uses", json::Integer(receipt.uses)}};
  if (!receipt.exe.empty()) body["exe"] = json::Bytes(receipt.exe);
  AddBinding(receipt.binding, body);
  if (!receipt.renews.empty()) body["renews"] = receipt.renews;
  if (!receipt.session.empty()) {
    body["session"] = receipt.session;
    body["run"] = receipt.run;
    body["step"] = json::Integer(receipt.step);
    if (!receipt.parent.empty()) body["parent"] = receipt.parent;
  }
  if (!receipt.break_glass.empty()) body["break_glass"] = receipt.break_glass;
  return json::Encode(body);
}

Result<Receipt> ParseReceipt(std::string_view bytes) {
  const json::Value body = TRY(json::Parse(bytes));
  if (TRY(json::GetInteger(body, "format")) != 1)
    return Fail(Code::kUnsupported, "receipt: format 1 expected");
  Receipt receipt;
  receipt.tenant = TRY(json::GetString(body, "tenant"));
  receipt.domain = TRY(json::GetString(body, "domain"));
  receipt.host = TRY(json::GetString(body, "host"));
  receipt.boot_id = TRY(json::GetString(body, "boot_id"));
  receipt.canon = TRY(json::GetString(body, "canon"));
  receipt.rule = TRY(json::GetString(body, "rule"));
  const json::Value* const standing = body.Find("standing");
  if (standing == nullptr || !standing->is_bool())
    return Fail(Code::kInvalid, "receipt: standing: true or false expected");
  receipt.is_standing = standing->boolean();
  receipt.principal = TRY(json::GetString(body, "principal"));
  receipt.kind = TRY(ParseKind(TRY(json::GetString(body, "kind"))));
  const json::Value* const objects = body.Find("objects");
  const json::Value* const except = body.Find("except");
  if (objects == nullptr || !objects->is_array() || objects->array().empty())
    return Fail(Code::kInvalid, "receipt: objects expected");
  if (except == nullptr || !except->is_array())
    return Fail(Code::kInvalid, "receipt: except expected");
  for (const json::Value& object : objects->array())
    receipt.objects.push_back(TRY(ParseObjectJson(object)));
  for (const json::Value& name : except->array()) {
    const json::Value wrapped(json::Object{{"name", name}});
    receipt.except.push_back(TRY(json::GetBytes(wrapped, "name")));
  }
  if (body.Find("exe") != nullptr) {
    receipt.exe = TRY(json::GetBytes(body, "exe"));
    if (!IsCleanPath(receipt.exe)) return Fail(Code::kInvalid, "receipt: exe: clean path expected");
  }
  receipt.binding = TRY(ReadBinding(body));
  if (IsBound(receipt.binding) && (receipt.kind != Kind::kExec || receipt.is_standing))
    return Fail(Code::kInvalid, "receipt: bindings are for exec under a rule");
  if (body.Find("renews") != nullptr) {
    receipt.renews = TRY(json::GetString(body, "renews"));
    TRY(ParseDigest(receipt.renews));
  }
  if (body.Find("session") != nullptr) {
    receipt.session = TRY(json::GetString(body, "session"));
    receipt.run = TRY(json::GetString(body, "run"));
    receipt.step = TRY(json::GetInteger(body, "step"));
    TRY(ParseDigest(receipt.run));
    if (body.Find("parent") != nullptr) receipt.parent = TRY(json::GetString(body, "parent"));
    if (receipt.session.empty() || receipt.is_standing) return Fail(Code::kInvalid, "receipt: a session expected");
  }
  if (body.Find("break_glass") != nullptr) {
    receipt.break_glass = TRY(json::GetString(body, "break_glass"));
    TRY(ParseDigest(receipt.break_glass));
    if (!receipt.session.empty() || receipt.is_standing) return Fail(Code::kInvalid, "receipt: an override is of neither a session nor a standing grant");
  }
  receipt.sequence = TRY(json::GetInteger(body, "sequence"));
  receipt.not_before_boot_ns = TRY(json::GetInteger(body, "not_before_boot_ns"));
  receipt.expires_boot_ns = TRY(json::GetInteger(body, "expires_boot_ns"));
  receipt.not_before_utc = TRY(json::GetString(body, "not_before_utc"));
  receipt.expires_utc = TRY(json::GetString(body, "expires_utc"));
  receipt.uses = TRY(json::GetInteger(body, "uses"));
  if (receipt.expires_boot_ns <= receipt.not_before_boot_ns || receipt.uses == 0)
    return Fail(Code::kInvalid, "receipt: no time or no use");
  // Anything not read above makes the encodings differ.
  if (EncodeReceipt(receipt) != bytes) return Fail(Code::kInvalid, "receipt: unknown members");
  return receipt;
}

std::string ReceiptId(std::string_view bytes) { return Hex(Sha256(bytes)); }

}  // namespace proofgate::policy
