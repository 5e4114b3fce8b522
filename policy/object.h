// Object: what an act is done to, as canon and receipts name it.

#ifndef PROOFGATE_POLICY_OBJECT_H_
#define PROOFGATE_POLICY_OBJECT_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace proofgate::policy {

enum class Kind { kExec, kLoad, kWrite, kConnect, kBind, kSignal, kCapability, kRead };
inline constexpr std::array kAllKinds = {Kind::kExec, Kind::kLoad,   Kind::kWrite,      Kind::kConnect,
                                         Kind::kBind, Kind::kSignal, Kind::kCapability, Kind::kRead};
std::string_view KindName(Kind kind);            // "exec", "load", "write", …
Result<Kind> ParseKind(std::string_view name);

// "pipe", "tty", "devnull", "anon", "anonymous_exec", "ipc" (System V objects),
// "keys" (keyrings), "abstract" (AF_UNIX names without a file).
enum class IoClass { kPipe, kTty, kDevNull, kAnon, kAnonymousExec, kIpc, kKeys, kAbstract };
std::string_view IoClassName(IoClass io_class);
Result<IoClass> ParseIoClass(std::string_view name);
// The classes that a grant of this kind may name; empty: none.
std::vector<std::string_view> ClassesOf(Kind kind);

// capabilities(7), in the kernel's order, lower case without "cap_".
std::string_view CapabilityName(int capability);          // "" beyond what is known
Result<int> ParseCapability(std::string_view name);
// Those that a canon may grant: not the ones that reach the kernel itself, other
// processes' memory, or mounts.
std::vector<std::string_view> GrantableCapabilities();

enum class Form {
  kFile,   // one file, there or not
  kDir,    // the direct children of a directory
  kTree,   // everything below a directory
  kUnix,   // an AF_UNIX socket's path
  kNet,    // addresses and a port
  kClass,  // objects without a name of their own
  kCapability,
};

enum class Proto { kAny, kTcp, kUdp };

struct NetBlock {
  bool is_v6 = false;
  std::array<std::uint8_t, 16> bytes{};  // IPv4 in the first four
  int prefix_bits = 0;
  std::uint16_t port = 0;                // 0: any
  Proto proto = Proto::kAny;
  bool operator==(const NetBlock&) const = default;
};

struct Object {
  Form form = Form::kFile;
  std::string path;   // kFile, kDir, kTree, kUnix: absolute, clean
  NetBlock net;       // kNet
  IoClass io_class = IoClass::kPipe;  // kClass
  int capability = 0;                 // kCapability
  bool operator==(const Object&) const = default;
};

// Do objects of this form have a path?
bool HasPath(Form form);
// Absolute, no empty, "." or ".." component, no final slash, at most 4095 bytes.
bool IsCleanPath(std::string_view path);
// Is `path` below `dir` (any depth)? A path is not below itself.
bool IsBelow(std::string_view path, std::string_view dir);

// "10.0.0.0/8", "::1/128"; kInvalid says what is wrong, host bits included.
Result<NetBlock> ParseCidr(std::string_view text);
std::string FormatCidr(const NetBlock& net);
// The first `bits` of its address and zeros, 16 bytes: what blocks are found by.
std::string AddressKey(const NetBlock& net, int bits);

// Paths of all directories above, from the nearest to "/".
std::vector<std::string> DirectoriesAbove(const std::string& path);

// Is it not divisible: one file, one address with a port and a protocol, …?
bool IsAct(const Object& object);

// Is every act on `inner` an act on `outer`?
bool Contains(const Object& outer, const Object& inner);
// Is there an act on both? Never says no when there is.
bool Overlaps(const Object& a, const Object& b);

json::Value ObjectJson(const Object& object);
Result<Object> ParseObjectJson(const json::Value& value);
// As a person writes it: "/srv/demo/file", "/srv/demo/*", "/srv/demo/**",
// "tcp:127.0.0.1:80", "[::1]:80", "10.0.0.0/8", "unix:/run/x.sock", "class:pipe",
// "cap:net_raw". kInvalid.
Result<Object> ReadObjectText(Kind kind, const std::string& text);
std::string WriteObjectText(const Object& object);
// "/srv/demo/ and everything below", "tcp 127.0.0.0/8 port 80"; escaped for people.
std::string Describe(const Object& object);

// Control, invisible and bidirectional characters as \xNN.
std::string EscapeForPeople(std::string_view text);

}  // namespace proofgate::policy

#endif  // PROOFGATE_POLICY_OBJECT_H_
