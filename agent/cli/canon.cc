// canon show, apply.

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include "agent/cli/canon.h"
#include "agent/cli/client.h"
#include "agent/cli/commands.h"
#include "base/durable.h"
#include "policy/parse.h"

namespace proofgate::cli {

int ShowCanon(const Options& options) {
  const Reply reply = Call("canon.show");
  if (reply.exit_code != kDone) return Complain(reply, options.json);
  if (options.json) {
    PrintJson(reply.result);
  } else {
    fmt::print("{}", json::GetBytes(reply.result, "source").value_or(""));
  }
  return kDone;
}

int ApplyCanon(const Options& options) {
  Reply reply;
  if (std::filesystem::is_directory(options.file)) {
    const auto bundle = ReadBundleDir(options.file);
    if (!bundle) return Complain(bundle.error(), options.json);
    reply = Call("canon.apply_bundle", {{"bundle", policy::EncodeBundle(*bundle)}});
  } else if (options.file.ends_with(".bundle")) {
    const auto envelope = ReadFile(options.file, 2 * policy::kMaxCanonBytes);
    if (!envelope) return Complain(envelope.error(), options.json);
    reply = Call("canon.apply_bundle", {{"bundle", json::Bytes(*envelope)}});
  } else {
    const auto text = ReadFile(options.file, policy::kMaxCanonBytes);
    if (!text) return Complain(text.error(), options.json);
    reply = Call("canon.apply", {{"text", json::Bytes(*text)}, {"file", json::Bytes(options.file)}});
  }
  if (reply.exit_code != kDone) return Complain(reply, options.json);
  if (options.json) {
    PrintJson(reply.result);
    return kDone;
  }
  const json::Value* const changed = reply.result.Find("changed");
  const std::string digest = json::GetString(reply.result, "digest").value_or("");
  if (changed != nullptr && *changed == json::Value(false)) {
    fmt::print("{} is in force already (sha256 {})\n", options.file, digest);
  } else {
    fmt::print("{} is in force from entry {} on (sha256 {})\n", options.file,
               json::GetInteger(reply.result, "entry").value_or(0), digest);
  }
  return kDone;
}

}  // namespace proofgate::cli
