#include "agent/mcp.h"

#include <array>

#include "policy/plan.h"

namespace proofgate::agent {
namespace {

constexpr std::array<std::string_view, 4> kRevisions = {"2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"};
constexpr int kParseError = -32700;
constexpr int kInvalidRequest = -32600;
constexpr int kNoSuchMethod = -32601;
constexpr int kInvalidParams = -32602;

constexpr const char* kInstructions =
    "You act under Proofgate: nothing you do outside your standing rights has an effect without a receipt. "
    "list_rights says what could be had; open_session, propose_plans and next_step get receipts step by step. "
    "When something was refused, explain_denial says why; it is policy, not a fault: propose another plan.";

struct Tool {
  const char* name;
  const char* method;
  const char* what;
  const char* schema;  // of its arguments
};

// In the order in which they are used.
constexpr std::array<Tool, 9> kTools = {{
    {"list_rights", "rights", "What this domain's canon permits and forbids, under which terms, with which estimates.",
     R"({"type":"object","additionalProperties":false})"},
    {"open_session", "session.open", "Opens the session of this cgroup. One at a time.",
     R"({"type":"object","properties":{"duration_ms":{"type":"integer","minimum":1,"maximum":86400000}},"additionalProperties":false})"},
    {"delegate_session", "session.delegate",
     "Gives up all rights of this process's session but these, and moves the process into a child session of its own: fork first. "
     "rights: [{\"rule\":\"demo.write\",\"object\":\"/srv/demo/report.txt\",\"uses\":2}]. What the child may cost and use counts as the parent's.",
     R"({"type":"object","properties":{"rights":{"type":"array","items":{"type":"object"}},"max_cost":{"type":"integer","minimum":0},"max_uses":{"type":"integer","minimum":1},"duration_ms":{"type":"integer","minimum":1,"maximum":86400000}},"required":["rights","max_cost","max_uses"],"additionalProperties":false})"},
    {"add_evidence", "session.evidence", "Adds evidence; only its digest is kept, and fields that their producer signed.",
     R"({"type":"object","properties":{"kind":{"type":"string"},"content":{"type":"string"},"digest":{"type":"string"},"fields":{"type":"object"},"signature":{"type":"string"}},"required":["kind"],"additionalProperties":false})"},
    {"propose_plans", "session.complete",
     "Hands over candidate plans ({\"format\":1,\"plans\":[{\"steps\":[{\"any\":[{\"kind\":\"write\",\"object\":{\"file\":\"/path\"}}]}]}]}) "
     "and has them judged. Nothing is live yet; a refusal says what failed, by how much, and what came nearest.",
     R"({"type":"object","properties":{"plans":{"type":"object"}},"required":["plans"],"additionalProperties":false})"},
    {"next_step", "session.next",
     "Ends the live step (status 0: it did what it was to do) and gets the receipt of the next. APPROVAL_MISSING: ask again when people have approved.",
     R"({"type":"object","properties":{"status":{"type":"integer","minimum":0,"maximum":255}},"additionalProperties":false})"},
    {"show_session", "session.show", "The session of this cgroup: steps, approvals, what the next step waits for.",
     R"({"type":"object","additionalProperties":false})"},
    {"abort_session", "session.abort", "Ends the session and its receipts.",
     R"({"type":"object","properties":{"why":{"type":"string"}},"additionalProperties":false})"},
    {"explain_denial", "why", "Why the last refused act in this cgroup was refused.",
     R"({"type":"object","additionalProperties":false})"},
}};

// What may be in the strings of ParseLenient may not be in canonical JSON.
json::Value Encodable(const json::Value& value) {
  if (value.is_string()) return json::Bytes(value.string());
  if (value.is_array()) {
    json::Array out;
    for (const json::Value& item : value.array()) out.push_back(Encodable(item));
    return out;
  }
  if (value.is_object()) {
    json::Object out;
    for (const auto& [key, member] : value.object()) out[key] = Encodable(member);
    return out;
  }
  return value;
}

// Messages are lines: Pretty breaks lines between tokens only, never in a string.
std::string OneLine(const json::Value& value) {
  const std::string pretty = json::Pretty(value);
  std::string line;
  for (std::size_t i = 0; i < pretty.size(); ++i) {
    if (pretty[i] != '\n') {
      line += pretty[i];
      continue;
    }
    while (i + 1 < pretty.size() && pretty[i + 1] == ' ') ++i;
  }
  return line;
}

json::Value ErrorAnswer(const json::Value& id, int code, std::string_view message) {
  return json::Object{{"jsonrpc", "2.0"}, {"id", id},
                      {"error", json::Object{{"code", code}, {"message", policy::EscapeForPeople(message)}}}};
}

json::Value ToolResult(const json::Value& content, bool is_error) {
  // Pretty text is ASCII with escapes of its own, so any string may be inside.
  json::Array parts{json::Object{{"type", "text"}, {"text", json::Pretty(content)}}};
  json::Object out{{"content", std::move(parts)}, {"isError", is_error}};
  if (!is_error) out["structuredContent"] = content;
  return out;
}

}  // namespace

json::Value Mcp::CallTool(const json::Value& params, std::string& wrong) {
  const auto name = json::GetString(params, "name");
  const Tool* tool = nullptr;
  for (const Tool& candidate : kTools)
    if (name && *name == candidate.name) tool = &candidate;
  if (tool == nullptr) {
    wrong = "name: one of the tools of tools/list expected";
    return {};
  }
  json::Object arguments;
  if (const json::Value* const given = params.Find("arguments")) {
    if (!given->is_object()) {
      wrong = "arguments: an object expected";
      return {};
    }
    arguments = Encodable(*given).object();
    // The plan file is text for the daemon; a client may give either form.
    if (const json::Value* const plans = given->Find("plans"))
      arguments["plans"] = json::Bytes(plans->is_string() ? plans->string() : json::Pretty(*plans));
  }
  json::Value data;
  const auto result = ask_(tool->method, std::move(arguments), data);
  if (result) return ToolResult(*result, false);
  json::Object said{{"error", policy::EscapeForPeople(result.error().message)}, {"code", CodeName(result.error().code)}};
  if (data.is_object() && !data.object().empty()) said["data"] = Encodable(data);
  return ToolResult(said, true);
}

std::optional<std::string> Mcp::Answer(std::string_view line) {
  // JSON of a client may hold a null or a fraction where we look at neither; then
  // the message is refused whole rather than read in part.
  const auto message = json::ParseLenient(line);
  if (!message) return OneLine(ErrorAnswer(0, kParseError, message.error().message));
  const json::Value* const id_member = message->Find("id");
  const auto method = json::GetString(*message, "method");
  const bool has_id = id_member != nullptr && (id_member->is_integer() || id_member->is_string());
  const json::Value id = has_id ? *id_member : json::Value(0);
  if (json::GetString(*message, "jsonrpc").value_or("") != "2.0" || !method || (id_member != nullptr && !has_id))
    return message->Find("result") != nullptr || message->Find("error") != nullptr
               ? std::nullopt  // an answer, and we have asked nothing
               : std::optional<std::string>(OneLine(ErrorAnswer(id, kInvalidRequest, "a request of JSON-RPC 2.0 expected")));
  if (!has_id) return std::nullopt;  // a notification: none of them asks anything of us
  const json::Value* const given = message->Find("params");
  const json::Value params = given == nullptr ? json::Value() : *given;
  json::Value result;
  if (*method == "initialize") {
    const std::string asked = json::GetString(params, "protocolVersion").value_or("");
    std::string_view revision = kRevisions.front();
    for (const std::string_view known : kRevisions)
      if (known == asked) revision = known;
    result = json::Object{{"protocolVersion", revision},
                          {"capabilities", json::Object{{"tools", json::Object{{"listChanged", false}}}}},
                          {"serverInfo", json::Object{{"name", "proofgate"}, {"version", "0.1.0"}}},
                          {"instructions", kInstructions}};
  } else if (*method == "ping") {
    result = json::Object{};
  } else if (*method == "tools/list") {
    json::Array tools;
    for (const Tool& tool : kTools)
      tools.emplace_back(json::Object{{"name", tool.name}, {"description", tool.what},
                                      {"inputSchema", *json::ParseLenient(tool.schema)}});
    result = json::Object{{"tools", std::move(tools)}};
  } else if (*method == "tools/call") {
    std::string wrong;
    result = CallTool(params, wrong);
    if (!wrong.empty()) return OneLine(ErrorAnswer(id, kInvalidParams, wrong));
  } else {
    return OneLine(ErrorAnswer(id, kNoSuchMethod, "no method " + *method));
  }
  return OneLine(json::Object{{"jsonrpc", "2.0"}, {"id", id}, {"result", std::move(result)}});
}

}  // namespace proofgate::agent
