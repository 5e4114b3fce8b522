#include "agent/record.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <array>
#include <cstring>

#include "policy/trace.h"

namespace proofgate::agent {
namespace {

std::string_view Bounded(const char* text, std::size_t room) { return {text, strnlen(text, room)}; }

}  // namespace

std::string_view OperationName(std::uint32_t op) {
  switch (op) {
    case OP_EXEC: return "run a program";
    case OP_MAP_EXEC: return "map as executable";
    case OP_PROTECT_EXEC: return "make memory executable";
    case OP_OPEN_WRITE: return "open for writing";
    case OP_WRITE: return "write";
    case OP_MAP_WRITE: return "map as shared and writable";
    case OP_TRUNCATE: return "truncate";
    case OP_CREATE: return "create a file";
    case OP_MKDIR: return "create a directory";
    case OP_MKNOD: return "create a node";
    case OP_SYMLINK: return "create a symbolic link";
    case OP_LINK: return "link";
    case OP_UNLINK: return "delete";
    case OP_RMDIR: return "delete a directory";
    case OP_RENAME: return "rename";
    case OP_SETATTR: return "change attributes";
    case OP_SETXATTR: return "change extended attributes";
    case OP_CONNECT: return "connect";
    case OP_SEND_TO: return "send to";
    case OP_SEND: return "send";
    case OP_UNIX_CONNECT: return "connect to a local socket";
    case OP_UNIX_SEND: return "send to a local socket";
    case OP_SOCKET: return "create a socket";
    case OP_BPF: return "use bpf()";
    case OP_PTRACE: return "reach into another process";
    case OP_KILL: return "signal";
    case OP_MOUNT: return "change mounts";
    case OP_CAPABILITY: return "use a capability";
    case OP_FORK: return "start a process or thread";
    case OP_BIND: return "bind an address";
    case OP_LISTEN: return "listen";
    case OP_ACCEPT: return "accept a connection";
    case OP_OPEN_READ: return "open for reading";
    case OP_READ: return "read";
    case OP_IOCTL: return "use ioctl()";
    case OP_FCNTL: return "use fcntl()";
    case OP_LOCK: return "lock a file";
    case OP_RECEIVE: return "receive a descriptor";
    case OP_ANON_INODE: return "make an io_uring or userfaultfd";
    case OP_IPC: return "use System V IPC";
    case OP_KEY: return "use a keyring";
    case OP_NAMESPACE: return "make a user namespace";
    case OP_ROOT: return "change the root directory";
    case OP_PERF: return "open a performance event";
    case OP_MODULE: return "have the kernel load code";
    case OP_QUOTA: return "change quotas";
    case OP_TIME: return "set the clock";
    case OP_TASK: return "change another task's scheduling or limits";
    case OP_SOCKET_OPTION: return "set a socket option";
    case OP_LOG: return "change the kernel's log";
    case OP_SHUTDOWN: return "shut down";
    case OP_PERSONALITY: return "make its memory executable";
    default: return "unknown operation";
  }
}

std::string_view ActKindName(std::uint32_t kind) {
  switch (kind) {
    case KIND_EXEC: return "exec";
    case KIND_LOAD: return "load";
    case KIND_WRITE: return "write";
    case KIND_CONNECT: return "connect";
    case KIND_NEVER: return "never";
    case KIND_BIND: return "bind";
    case KIND_SIGNAL: return "signal";
    case KIND_CAPABILITY: return "capability";
    case KIND_READ: return "read";
    default: return "unknown";
  }
}

std::string AddressText(const address& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (inet_ntop(address.family, address.bytes, text.data(), text.size()) == nullptr) return "";
  return fmt::format("{} {} port {}", address.proto == IPPROTO_TCP ? "tcp" : "udp", text.data(),
                     ntohs(address.port));
}

std::string PathText(const act_record& record, Mounts& mounts) {
  if (record.depth == 0) return "";
  std::string below;
  for (std::uint32_t i = 0; i < record.depth; ++i) {
    const std::string_view name = Bounded(record.components[i], NAME_BYTES);
    below = "/" + (name.empty() ? "?" : std::string(name)) + below;
  }
  if (record.more) return "..." + below;
  return mounts.PathOn(record.dev, below);
}

Result<act_record> DecodeRecord(std::span<const std::byte> bytes) {
  act_record record{};
  if (bytes.size() != sizeof(record))
    return Fail(Code::kCorrupt, fmt::format("record of {} bytes, {} expected", bytes.size(), sizeof(record)));
  std::memcpy(&record, bytes.data(), sizeof(record));
  if (record.version != 1)
    return Fail(Code::kCorrupt, fmt::format("record of version {}, 1 expected", record.version));
  if (record.depth > MAX_COMPONENTS) return Fail(Code::kCorrupt, "record with too many components");
  return record;
}

ledger::Record ToLedger(const act_record& record, const Names& names, Mounts& mounts) {
  const auto [domain, canon_entry] = names.Domain(record.domain);
  json::Object body;
  body["domain"] = domain.empty() ? std::to_string(record.domain) : domain;
  body["canon_entry"] = json::Integer(canon_entry);
  body["seq"] = json::Integer(record.seq);
  body["act_boot_ns"] = json::Integer(record.boot_ns);
  body["kind"] = ActKindName(record.kind);
  body["op"] = OperationName(record.op);
  if (record.address_len != 0) body["address"] = AddressText(record.address);
  const std::string path = PathText(record, mounts);
  if (!path.empty()) {
    body["path"] = json::Bytes(path);
    body["ino"] = json::Integer(record.ino);
    body["dev"] = fmt::format("{}:{}", record.dev >> 20, record.dev & 0xfffff);
  }
  if (record.object != 0) body["object"] = json::Integer(record.object);
  if (record.detail != 0) body["detail"] = json::Integer(record.detail);
  const std::string receipt = names.Receipt(record.slot, record.gen);
  if (!receipt.empty()) body["receipt"] = receipt;
  const std::string program = names.Program(record.exe);
  if (!program.empty()) body["program"] = json::Bytes(program);
  body["comm"] = json::Bytes(Bounded(record.comm, sizeof(record.comm)));
  body["pid"] = json::Integer(record.tgid);
  body["tid"] = json::Integer(record.tid);
  body["uid"] = json::Integer(record.uid);
  body["cgroup"] = json::Integer(record.cgroup);
  if (record.verdict == VERDICT_ALLOW) return {"ACT", std::move(body)};
  body["code"] = policy::GateCodeName(record.code);
  body["blocked"] = record.verdict == VERDICT_DENY;
  return {"DENY", std::move(body)};
}

}  // namespace proofgate::agent
