#include "policy/object.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

namespace proofgate::policy {
namespace {

constexpr std::array<std::string_view, 8> kKinds = {"exec", "load",   "write",      "connect",
                                                    "bind", "signal", "capability", "read"};
constexpr std::array<std::string_view, 8> kClasses = {
    "pipe", "tty", "devnull", "anon", "anonymous_exec", "ipc", "keys", "abstract"};
constexpr std::array<std::string_view, 41> kCapabilities = {
    "chown",        "dac_override",    "dac_read_search",  "fowner",          "fsetid",
    "kill",         "setgid",          "setuid",           "setpcap",         "linux_immutable",
    "net_bind_service", "net_broadcast", "net_admin",      "net_raw",         "ipc_lock",
    "ipc_owner",    "sys_module",      "sys_rawio",        "sys_chroot",      "sys_ptrace",
    "sys_pacct",    "sys_admin",       "sys_boot",         "sys_nice",        "sys_resource",
    "sys_time",     "sys_tty_config",  "mknod",            "lease",           "audit_write",
    "audit_control", "setfcap",        "mac_override",     "mac_admin",       "syslog",
    "wake_alarm",   "block_suspend",   "audit_read",       "perfmon",         "bpf",
    "checkpoint_restore"};
constexpr std::array<std::string_view, 3> kProtos = {"any", "tcp", "udp"};

bool SameBits(const NetBlock& a, const NetBlock& b, int bits) {
  for (int bit = 0; bit < bits; ++bit) {
    const auto at = static_cast<std::size_t>(bit / 8);
    const int mask = 0x80 >> (bit % 8);
    if ((a.bytes[at] & mask) != (b.bytes[at] & mask)) return false;
  }
  return true;
}

// "tcp:", "udp:" or nothing, an address or prefix, and ":port" or nothing.
Result<NetBlock> ParseNetText(const std::string& text) {
  std::string rest = text;
  Proto proto = Proto::kAny;
  if (rest.starts_with("tcp:")) proto = Proto::kTcp;
  if (rest.starts_with("udp:")) proto = Proto::kUdp;
  if (proto != Proto::kAny) rest = rest.substr(4);
  std::string port;
  if (rest.starts_with("[")) {
    const std::size_t close = rest.find(']');
    if (close == std::string::npos) return Fail(Code::kInvalid, text + ": no ']'");
    const std::string after = rest.substr(close + 1);
    const std::size_t colon = after.find(':');
    const std::string bits = after.substr(0, colon);
    if (!bits.empty() && bits[0] != '/')
      return Fail(Code::kInvalid, text + ": '/' and bits, or ':' and a port, expected after ']'");
    rest = rest.substr(1, close - 1) + bits;
    if (colon != std::string::npos) port = after.substr(colon + 1);
    if (colon != std::string::npos && port.empty()) return Fail(Code::kInvalid, text + ": port: 1 to 65535 expected");
  } else if (std::count(rest.begin(), rest.end(), ':') == 1) {
    port = rest.substr(rest.find(':') + 1);
    rest = rest.substr(0, rest.find(':'));
    if (port.empty()) return Fail(Code::kInvalid, text + ": port: 1 to 65535 expected");
  }
  if (rest.find('/') == std::string::npos)
    rest += rest.find(':') == std::string::npos ? "/32" : "/128";
  NetBlock net = TRY(ParseCidr(rest));
  net.proto = proto;
  if (!port.empty()) {
    std::uint16_t number = 0;
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (error != std::errc() || end != port.data() + port.size() || number == 0)
      return Fail(Code::kInvalid, text + ": port: 1 to 65535 expected");
    net.port = number;
  }
  return net;
}

bool IsPath(Form form) { return form == Form::kFile || form == Form::kDir || form == Form::kTree; }

}  // namespace

std::string_view KindName(Kind kind) { return kKinds[static_cast<std::size_t>(kind)]; }

Result<Kind> ParseKind(std::string_view name) {
  for (std::size_t i = 0; i < kKinds.size(); ++i)
    if (kKinds[i] == name) return static_cast<Kind>(i);
  return Fail(Code::kInvalid, fmt::format("kind: one of {} expected", fmt::join(kKinds, ", ")));
}

std::string_view IoClassName(IoClass io_class) {
  return kClasses[static_cast<std::size_t>(io_class)];
}

Result<IoClass> ParseIoClass(std::string_view name) {
  for (std::size_t i = 0; i < kClasses.size(); ++i)
    if (kClasses[i] == name) return static_cast<IoClass>(i);
  return Fail(Code::kInvalid, fmt::format("class: one of {} expected", fmt::join(kClasses, ", ")));
}

std::vector<std::string_view> ClassesOf(Kind kind) {
  switch (kind) {
    case Kind::kLoad: return {"anonymous_exec"};
    case Kind::kWrite: return {"pipe", "tty", "devnull", "anon", "ipc", "keys"};
    case Kind::kConnect:
    case Kind::kBind: return {"abstract"};
    default: return {};
  }
}

std::string_view CapabilityName(int capability) {
  const auto at = static_cast<std::size_t>(capability);
  return at < kCapabilities.size() ? kCapabilities[at] : std::string_view();
}

Result<int> ParseCapability(std::string_view name) {
  for (std::size_t i = 0; i < kCapabilities.size(); ++i)
    if (kCapabilities[i] == name) return static_cast<int>(i);
  return Fail(Code::kInvalid, "cap: the name of a capability expected, as in net_raw");
}

std::vector<std::string_view> GrantableCapabilities() {
  constexpr std::array<std::string_view, 10> kNever = {
      "sys_module", "sys_rawio", "sys_ptrace", "sys_admin", "sys_boot",
      "mac_override", "mac_admin", "perfmon", "bpf", "checkpoint_restore"};
  std::vector<std::string_view> names;
  for (const std::string_view name : kCapabilities)
    if (std::find(kNever.begin(), kNever.end(), name) == kNever.end()) names.push_back(name);
  return names;
}

bool HasPath(Form form) {
  return form == Form::kFile || form == Form::kDir || form == Form::kTree || form == Form::kUnix;
}

bool IsCleanPath(std::string_view path) {
  if (path.empty() || path.front() != '/' || path.size() > 4095) return false;
  if (path == "/") return true;
  if (path.find('\0') != std::string_view::npos) return false;
  std::string_view rest = path.substr(1);
  for (;;) {
    const std::size_t slash = rest.find('/');
    const std::string_view component = rest.substr(0, slash);
    if (component.empty() || component == "." || component == ".." || component.size() > 255)
      return false;
    if (slash == std::string_view::npos) return true;
    rest = rest.substr(slash + 1);
  }
}

bool IsBelow(std::string_view path, std::string_view dir) {
  if (dir == "/") return path.size() > 1;
  return path.size() > dir.size() + 1 && path.substr(0, dir.size()) == dir &&
         path[dir.size()] == '/';
}

Result<NetBlock> ParseCidr(std::string_view text) {
  const auto wrong = [&](std::string_view what) {
    return Fail(Code::kInvalid, "'" + EscapeForPeople(text) + "': " + std::string(what));
  };
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos)
    return wrong("a prefix length is missing, as in 10.0.0.0/8 or 127.0.0.1/32");
  const std::string address(text.substr(0, slash));
  const std::string_view length = text.substr(slash + 1);
  NetBlock net;
  net.is_v6 = address.find(':') != std::string::npos;
  if (address.find('\0') != std::string::npos ||  // inet_pton would stop there
      inet_pton(net.is_v6 ? AF_INET6 : AF_INET, address.c_str(), net.bytes.data()) != 1)
    return wrong("not an address");
  const int max_bits = net.is_v6 ? 128 : 32;
  const auto [end, error] = std::from_chars(length.begin(), length.end(), net.prefix_bits);
  if (error != std::errc() || end != length.end() || length.front() == '-' ||
      net.prefix_bits > max_bits || (length.size() > 1 && length.front() == '0'))
    return wrong(fmt::format("prefix length from 0 to {} expected", max_bits));
  for (int bit = net.prefix_bits; bit < max_bits; ++bit)
    if ((net.bytes[static_cast<std::size_t>(bit / 8)] & (0x80 >> (bit % 8))) != 0)
      return wrong("bits beyond the prefix are set");
  // The gate judges a v4-mapped address as the IPv4 address that it reaches, so
  // a forbid in this form would forbid nothing.
  constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (net.is_v6 && net.prefix_bits >= 96 &&
      std::equal(kMapped.begin(), kMapped.end(), net.bytes.begin()))
    return wrong("a v4-mapped address; write it as IPv4");
  return net;
}

std::string FormatCidr(const NetBlock& net) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(net.is_v6 ? AF_INET6 : AF_INET, net.bytes.data(), text, sizeof(text));
  return fmt::format("{}/{}", text, net.prefix_bits);
}

std::string AddressKey(const NetBlock& net, int bits) {
  std::string key(reinterpret_cast<const char*>(net.bytes.data()), net.bytes.size());
  for (int bit = bits; bit < 128; ++bit) {
    const auto at = static_cast<std::size_t>(bit / 8);
    key[at] = static_cast<char>(static_cast<unsigned char>(key[at]) & ~(0x80 >> (bit % 8)));
  }
  return key;
}

std::vector<std::string> DirectoriesAbove(const std::string& path) {
  std::vector<std::string> dirs;
  if (path == "/") return dirs;
  for (std::size_t at = path.rfind('/'); at != 0; at = path.rfind('/', at - 1)) dirs.push_back(path.substr(0, at));
  dirs.emplace_back("/");
  return dirs;
}

bool IsAct(const Object& object) {
  if (object.form == Form::kNet)
    return object.net.prefix_bits == (object.net.is_v6 ? 128 : 32) && object.net.port != 0 &&
           object.net.proto != Proto::kAny;
  return object.form != Form::kDir && object.form != Form::kTree;
}

bool Contains(const Object& outer, const Object& inner) {
  switch (outer.form) {
    case Form::kFile:
      return inner.form == Form::kFile && inner.path == outer.path;
    case Form::kDir:
      if (inner.form == Form::kDir) return inner.path == outer.path;
      return inner.form == Form::kFile && IsBelow(inner.path, outer.path) &&
             inner.path.find('/', outer.path == "/" ? 1 : outer.path.size() + 1) ==
                 std::string::npos;
    case Form::kTree:
      if (inner.form == Form::kFile) return IsBelow(inner.path, outer.path);
      if (inner.form == Form::kDir || inner.form == Form::kTree)
        return inner.path == outer.path || IsBelow(inner.path, outer.path);
      return false;
    case Form::kUnix:
      return inner.form == Form::kUnix && inner.path == outer.path;
    case Form::kNet:
      return inner.form == Form::kNet && inner.net.is_v6 == outer.net.is_v6 &&
             inner.net.prefix_bits >= outer.net.prefix_bits &&
             SameBits(outer.net, inner.net, outer.net.prefix_bits) &&
             (outer.net.port == 0 || outer.net.port == inner.net.port) &&
             (outer.net.proto == Proto::kAny || outer.net.proto == inner.net.proto);
    case Form::kClass:
      return inner.form == Form::kClass && inner.io_class == outer.io_class;
    case Form::kCapability:
      return inner.form == Form::kCapability && inner.capability == outer.capability;
  }
  return false;
}

bool Overlaps(const Object& a, const Object& b) {
  if (IsPath(a.form) && IsPath(b.form)) {
    if (Contains(a, b) || Contains(b, a)) return true;
    // A directory's children may be directories that the other side names.
    if (a.form == Form::kDir && (b.path == a.path || IsBelow(b.path, a.path))) return true;
    if (b.form == Form::kDir && (a.path == b.path || IsBelow(a.path, b.path))) return true;
    return false;
  }
  if (a.form == Form::kNet && b.form == Form::kNet) {
    const int bits = std::min(a.net.prefix_bits, b.net.prefix_bits);
    return a.net.is_v6 == b.net.is_v6 && SameBits(a.net, b.net, bits) &&
           (a.net.port == 0 || b.net.port == 0 || a.net.port == b.net.port) &&
           (a.net.proto == Proto::kAny || b.net.proto == Proto::kAny ||
            a.net.proto == b.net.proto);
  }
  return a == b;
}

json::Value ObjectJson(const Object& object) {
  json::Object out;
  switch (object.form) {
    case Form::kFile: out["file"] = json::Bytes(object.path); break;
    case Form::kDir: out["dir"] = json::Bytes(object.path); break;
    case Form::kTree: out["tree"] = json::Bytes(object.path); break;
    case Form::kUnix: out["unix"] = json::Bytes(object.path); break;
    case Form::kClass: out["class"] = IoClassName(object.io_class); break;
    case Form::kCapability: out["cap"] = CapabilityName(object.capability); break;
    case Form::kNet:
      out["cidr"] = FormatCidr(object.net);
      out["port"] = static_cast<int>(object.net.port);
      out["proto"] = kProtos[static_cast<std::size_t>(object.net.proto)];
      break;
  }
  return out;
}

Result<Object> ParseObjectJson(const json::Value& value) {
  Object object;
  const auto path = [&](const char* key, Form form) -> Status {
    object.form = form;
    object.path = TRY(json::GetBytes(value, key));
    if (!IsCleanPath(object.path)) return Fail(Code::kInvalid, "object: clean path expected");
    return {};
  };
  if (value.Find("file") != nullptr) {
    TRY(path("file", Form::kFile));
  } else if (value.Find("dir") != nullptr) {
    TRY(path("dir", Form::kDir));
  } else if (value.Find("tree") != nullptr) {
    TRY(path("tree", Form::kTree));
  } else if (value.Find("unix") != nullptr) {
    TRY(path("unix", Form::kUnix));
  } else if (value.Find("class") != nullptr) {
    object.form = Form::kClass;
    object.io_class = TRY(ParseIoClass(TRY(json::GetString(value, "class"))));
  } else if (value.Find("cap") != nullptr) {
    object.form = Form::kCapability;
    object.capability = TRY(ParseCapability(TRY(json::GetString(value, "cap"))));
  } else {
    object.form = Form::kNet;
    object.net = TRY(ParseCidr(TRY(json::GetString(value, "cidr"))));
    const std::uint64_t port = TRY(json::GetInteger(value, "port"));
    if (port > 65535) return Fail(Code::kInvalid, "object: port from 0 to 65535 expected");
    object.net.port = static_cast<std::uint16_t>(port);
    const std::string proto = TRY(json::GetString(value, "proto"));
    const auto at = std::find(kProtos.begin(), kProtos.end(), proto);
    if (at == kProtos.end()) return Fail(Code::kInvalid, "object: proto tcp, udp or any expected");
    object.net.proto = static_cast<Proto>(at - kProtos.begin());
  }
  if (ObjectJson(object) != value) return Fail(Code::kInvalid, "object: unknown members");
  return object;
}

Result<Object> ReadObjectText(Kind kind, const std::string& text) {
  Object object;
  if (kind == Kind::kCapability) {
    object.form = Form::kCapability;
    object.capability = TRY(ParseCapability(text.starts_with("cap:") ? text.substr(4) : text));
    return object;
  }
  if (text.starts_with("class:")) {
    object.form = Form::kClass;
    object.io_class = TRY(ParseIoClass(text.substr(6)));
    return object;
  }
  if (kind == Kind::kBind ||
      (kind == Kind::kConnect && !text.starts_with("/") && !text.starts_with("unix:"))) {
    object.form = Form::kNet;
    object.net = TRY(ParseNetText(text));
    return object;
  }
  std::string path = text.starts_with("unix:") ? text.substr(5) : text;
  object.form = kind == Kind::kConnect ? Form::kUnix : Form::kFile;
  if (object.form == Form::kFile && path.ends_with("/**")) {
    object.form = Form::kTree;
    path.resize(std::max<std::size_t>(path.size() - 3, 1));
  } else if (object.form == Form::kFile && path.ends_with("/*")) {
    object.form = Form::kDir;
    path.resize(std::max<std::size_t>(path.size() - 2, 1));
  }
  while (path.size() > 1 && path.ends_with("/")) path.pop_back();
  if (!IsCleanPath(path))
    return Fail(Code::kInvalid, EscapeForPeople(text) + ": an absolute path without '.' and '..' expected");
  object.path = path;
  return object;
}

std::string WriteObjectText(const Object& object) {
  switch (object.form) {
    case Form::kFile: return object.path;
    case Form::kDir: return (object.path == "/" ? "" : object.path) + "/*";
    case Form::kTree: return (object.path == "/" ? "" : object.path) + "/**";
    case Form::kUnix: return "unix:" + object.path;
    case Form::kClass: return "class:" + std::string(IoClassName(object.io_class));
    case Form::kCapability: return "cap:" + std::string(CapabilityName(object.capability));
    case Form::kNet: {
      std::string address = FormatCidr(object.net);
      const std::string whole = object.net.is_v6 ? "/128" : "/32";
      if (object.net.prefix_bits == (object.net.is_v6 ? 128 : 32)) address.resize(address.size() - whole.size());
      if (object.net.is_v6) {
        const std::size_t slash = address.find('/');
        const std::string bits = slash == std::string::npos ? "" : address.substr(slash);
        address = "[" + address.substr(0, slash) + "]" + bits;
      }
      std::string out;
      if (object.net.proto != Proto::kAny) out = std::string(kProtos[static_cast<std::size_t>(object.net.proto)]) + ":";
      out += address;
      if (object.net.port != 0) out += ":" + std::to_string(object.net.port);
      return out;
    }
  }
  return "";
}

std::string Describe(const Object& object) {
  switch (object.form) {
    case Form::kFile: return EscapeForPeople(object.path);
    case Form::kDir: return EscapeForPeople(object.path) + "/*";
    case Form::kTree: return EscapeForPeople(object.path) + "/**";
    case Form::kUnix: return "unix:" + EscapeForPeople(object.path);
    case Form::kClass: return "any " + std::string(IoClassName(object.io_class));
    case Form::kCapability: return "cap:" + std::string(CapabilityName(object.capability));
    case Form::kNet: {
      std::string out(kProtos[static_cast<std::size_t>(object.net.proto)]);
      out += " " + FormatCidr(object.net);
      if (object.net.port != 0) out += " port " + std::to_string(object.net.port);
      return out;
    }
  }
  return "?";
}

std::string EscapeForPeople(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // Everything beyond ASCII is escaped: it is short to read, and no invisible
    // or bidirectional character can hide among the rest.
    if (byte < 0x20 || byte > 0x7e) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace proofgate::policy
