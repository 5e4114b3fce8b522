#include "ledger/ocsf.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace proofgate::ledger {
namespace {

constexpr const char* kSchema = "1.3.0";
constexpr std::string_view kUtcPattern = "0000-00-00T00:00:00.000Z";

enum Class { kBase = 0, kFile = 1001, kModule = 1005, kProcess = 1007, kAuthorize = 3003, kEntity = 3004, kNetwork = 4001, kApplication = 6002 };

std::string Printable(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    if (c >= 0x20 && c <= 0x7e) out += c;
    else out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string Text(const json::Value& body, std::string_view name) {
  return Printable(json::GetBytes(body, name).value_or(""));
}

std::string BaseName(const std::string& path) { return path.substr(path.rfind('/') + 1); }

json::Object FileObject(const std::string& path) {
  const std::string name = BaseName(path);
  return {{"name", name.empty() ? path : name}, {"path", path}, {"type_id", 0}};
}

json::Object ProcessObject(const json::Value& body) {
  json::Object process;
  if (const auto pid = json::GetInteger(body, "pid")) process["pid"] = json::Integer(*pid);
  if (const std::string comm = Text(body, "comm"); !comm.empty()) process["name"] = comm;
  if (const std::string program = Text(body, "program"); !program.empty()) process["file"] = FileObject(program);
  if (const auto uid = json::GetInteger(body, "uid")) process["user"] = json::Object{{"uid", std::to_string(*uid)}};
  return process;
}

// What a write does to a file.
int FileActivity(const std::string& op) {
  if (op.starts_with("create") || op == "link") return 1;
  if (op.starts_with("delete")) return 4;
  if (op == "rename") return 5;
  if (op.starts_with("change")) return 6;
  if (op.starts_with("open for reading") || op == "read") return 2;
  return 3;
}

// "tcp 127.0.0.1 port 80"
json::Object Endpoint(const std::string& address) {
  const std::size_t first = address.find(' ');
  const std::size_t second = address.find(' ', first + 1);
  json::Object endpoint{{"ip", address.substr(first + 1, second - first - 1)}};
  const std::string port = address.substr(address.rfind(' ') + 1);
  int number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error == std::errc() && end == port.data() + port.size()) endpoint["port"] = number;
  return endpoint;
}

struct Event {
  int class_uid = kBase;
  int activity = 99;
  json::Object fields;
};

Event ActEvent(const json::Value& body) {
  const std::string kind = Text(body, "kind");
  const std::string address = Text(body, "address");
  const std::string path = Text(body, "path");
  Event event;
  event.fields["actor"] = json::Object{{"process", ProcessObject(body)}};
  if (!address.empty()) {
    event.class_uid = kNetwork;
    event.activity = 1;
    event.fields["dst_endpoint"] = Endpoint(address);
  } else if (kind == "exec") {
    event.class_uid = kProcess;
    event.activity = 1;
    json::Object process = ProcessObject(body);
    if (!path.empty()) {
      process["file"] = FileObject(path);
      process["name"] = BaseName(path);
    }
    event.fields["process"] = std::move(process);
  } else if (kind == "load") {
    event.class_uid = kModule;
    event.activity = 1;
    event.fields["module"] = json::Object{{"file", FileObject(path)}, {"load_type_id", 1}};
  } else if (kind == "write" || kind == "read") {
    event.class_uid = kFile;
    event.activity = FileActivity(Text(body, "op"));
    event.fields["file"] = FileObject(path);
  }
  return event;
}

Event EventOf(const std::string& kind, const json::Value& body) {
  if (kind == "ACT" || kind == "DENY") return ActEvent(body);
  if (kind == "ISSUE" || kind == "RENEW" || kind == "REFUSED") {
    const std::string principal = Text(body, "principal");
    json::Array privileges{kind == "REFUSED" ? Text(body, "rule") : Text(body, "id")};
    return {kAuthorize, kind == "REFUSED" ? 99 : 1,
            {{"user", json::Object{{"name", principal.empty() ? Text(body, "domain") : principal}}},
             {"privileges", std::move(privileges)}}};
  }
  if (kind == "CANON") return {kEntity, 3, {{"entity", json::Object{{"name", Text(body, "domain")}, {"type", "canon"}, {"version", Text(body, "digest")}}}}};
  if (kind == "START" || kind == "STOP")
    return {kApplication, kind == "START" ? 3 : 4,
            {{"app", json::Object{{"name", "proofgated"}, {"vendor_name", "Proofgate"}, {"version", Text(body, "version")}}}}};
  return {};
}

}  // namespace

Result<std::int64_t> ParseUtc(std::string_view utc) {
  bool good = utc.size() == kUtcPattern.size();
  for (std::size_t i = 0; good && i < utc.size(); ++i)
    good = kUtcPattern[i] == '0' ? utc[i] >= '0' && utc[i] <= '9' : utc[i] == kUtcPattern[i];
  if (!good) return Fail(Code::kInvalid, "time: 2026-11-24T12:30:00.000Z expected");
  const auto number = [utc](std::size_t at, std::size_t count) {
    std::int64_t value = 0;
    for (std::size_t i = at; i < at + count; ++i) value = value * 10 + (utc[i] - '0');
    return value;
  };
  // Days since 1970 in the proleptic Gregorian calendar, years from March.
  const std::int64_t month = number(5, 2);
  const std::int64_t year = number(0, 4) - (month <= 2 ? 1 : 0);
  const std::int64_t era_day = year * 365 + year / 4 - year / 100 + year / 400;
  const std::int64_t days = era_day + (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + number(8, 2) - 1 - 719'468;
  return ((days * 24 + number(11, 2)) * 60 + number(14, 2)) * 60'000 + number(17, 2) * 1000 + number(20, 3);
}

Result<json::Value> ToOcsf(const json::Value& leaf, const std::string& origin, const std::string& host) {
  const std::string kind = TRY(json::GetString(leaf, "kind"));
  const std::uint64_t index = TRY(json::GetInteger(leaf, "index"));
  const json::Value* const body = leaf.Find("body");
  if (body == nullptr) return Fail(Code::kCorrupt, fmt::format("entry {}: no body", index));
  Event event = EventOf(kind, *body);
  json::Object& out = event.fields;
  const bool denied = kind == "DENY" || kind == "REFUSED";
  const json::Value* const blocked = body->Find("blocked");
  const bool observed = denied && blocked != nullptr && *blocked == json::Value(false);
  const bool on_host = event.class_uid == kFile || event.class_uid == kModule || event.class_uid == kProcess || event.class_uid == kNetwork;
  json::Array profiles;
  if (on_host) {
    // The security_control profile: was it let through?
    profiles.push_back("security_control");
    out["action_id"] = denied && !observed ? 2 : 1;
    out["disposition_id"] = !denied ? 1 : observed ? 17 : 2;  // allowed, logged, blocked
  }
  if (event.class_uid == kNetwork) profiles.push_back("host");  // brings actor and device
  out["activity_id"] = event.activity;
  out["category_uid"] = event.class_uid / 1000;
  out["class_uid"] = event.class_uid;
  out["type_uid"] = event.class_uid * 100 + event.activity;
  out["severity_id"] = denied ? 3 : 1;
  out["status_id"] = denied && !observed ? 2 : 1;
  out["time"] = json::Value(TRY(ParseUtc(TRY(json::GetString(leaf, "utc")))));
  if (on_host) out["device"] = json::Object{{"type_id", 1}, {"uid", host}, {"hostname", host}};
  else out.erase("actor");
  json::Object metadata{{"version", kSchema}, {"uid", origin + "/" + std::to_string(index)},
                        {"product", json::Object{{"name", "Proofgate"}, {"vendor_name", "Proofgate"}}}};
  if (!profiles.empty()) metadata["profiles"] = std::move(profiles);
  out["metadata"] = std::move(metadata);
  std::string message = kind;
  for (const char* const name : {"domain", "op", "path", "address", "rule", "code"})
    if (const std::string text = Text(*body, name); !text.empty()) message += " " + text;
  out["message"] = message;
  out["unmapped"] = json::Object{{"kind", kind}, {"index", json::Integer(index)}, {"origin", origin}};
  return json::Value(std::move(out));
}

}  // namespace proofgate::ledger
