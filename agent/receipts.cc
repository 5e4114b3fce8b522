#include "agent/receipts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <set>

#include "agent/binding_row.h"
#include "agent/notify.h"
#include "agent/witnesses.h"
#include "base/bytes.h"
#include "policy/optr.h"
#include "policy/trace.h"

namespace proofgate::agent {
namespace {

using policy::Kind;
using policy::Object;
using policy::Receipt;

constexpr std::uint64_t kSecondNs = 1'000'000'000;
constexpr std::uint64_t kStandingNs = 120 * kSecondNs;
constexpr std::uint64_t kRenewBelowNs = 80 * kSecondNs;
constexpr std::uint64_t kBuryAfterNs = 60 * kSecondNs;  // until then a refusal says EXPIRED
constexpr std::uint64_t kStandingUses = (1ull << 53) - 1;

act_kind KernelKind(Kind kind) {
  switch (kind) {
    case Kind::kExec: return KIND_EXEC;
    case Kind::kLoad: return KIND_LOAD;
    case Kind::kWrite: return KIND_WRITE;
    case Kind::kConnect: return KIND_CONNECT;
    case Kind::kBind: return KIND_BIND;
    case Kind::kSignal: return KIND_SIGNAL;
    case Kind::kCapability: return KIND_CAPABILITY;
    case Kind::kRead: return KIND_READ;
  }
  return KIND_NEVER;
}

std::string SlotKey(std::uint32_t slot) { return fmt::format("slot/{}", slot); }

bool SameGrant(const Receipt& receipt, const policy::Standing& standing) {
  return receipt.is_standing && receipt.rule == standing.id && receipt.kind == standing.kind &&
         receipt.objects == standing.objects && receipt.except == standing.except;
}

// Is it granted by its name as well? The file may be made anew while the receipt lives.
bool IsNamed(Kind kind, const Object& object) {
  return (kind == Kind::kWrite || kind == Kind::kConnect) &&
         (object.form == policy::Form::kFile || object.form == policy::Form::kUnix);
}

// A standing grant as the receipts that it becomes: a slot holds one name, so each
// file of several has a receipt to itself.
std::vector<policy::Standing> PiecesOf(const policy::Standing& standing) {
  std::vector<policy::Standing> pieces;
  policy::Standing rest = standing;
  rest.objects.clear();
  for (const Object& object : standing.objects) {
    if (standing.objects.size() == 1 || !IsNamed(standing.kind, object)) {
      rest.objects.push_back(object);
      continue;
    }
    pieces.push_back(standing);
    pieces.back().objects = {object};
  }
  if (!rest.objects.empty()) pieces.push_back(std::move(rest));
  return pieces;
}

std::vector<policy::Standing> AllPieces(const policy::Canon& canon) {
  std::vector<policy::Standing> all;
  for (const policy::Standing& standing : canon.standing)
    for (policy::Standing& piece : PiecesOf(standing)) all.push_back(std::move(piece));
  return all;
}

// The row of a settled receipt may be another's by now.
bool HoldsBinding(const Pep& pep, const receipt_slot& gate, const Receipts::Live& live) {
  const bool is_bound = policy::IsBound(live.receipt.binding);
  if (((gate.flags & RECEIPT_BOUND) != 0) != is_bound) return false;
  if (!is_bound || live.settled) return true;
  if (gate.binding != live.binding || live.binding == 0 || live.binding >= MAX_BINDINGS) return false;
  const exec_binding want = BindingRow(live.receipt.binding, live.slot, live.gen);
  const exec_binding held = pep.ReadBinding(live.binding);
  return std::memcmp(&want, &held, sizeof(want)) == 0;
}

json::Object ReceiptRecord(const std::string& id, const std::string& body,
                           const std::string& signature) {
  json::Object record;
  record["id"] = id;
  record["receipt"] = *json::Parse(body);  // we encoded it: it parses
  record["signature"] = signature;
  return record;
}

}  // namespace

std::string Unarmour(const std::string& armoured) {
  std::string base64;
  for (std::size_t at = 0; at < armoured.size();) {
    const std::size_t end = std::min(armoured.find('\n', at), armoured.size());
    if (armoured[at] != '-') base64 += armoured.substr(at, end - at);
    at = end + 1;
  }
  return base64;
}

std::string Armour(const std::string& base64) {
  std::string armoured = "-----BEGIN SSH SIGNATURE-----\n";
  for (std::size_t at = 0; at < base64.size(); at += 70) armoured += base64.substr(at, 70) + "\n";
  return armoured + "-----END SSH SIGNATURE-----\n";
}

Result<Receipts::Resolved> Receipts::Resolve(std::uint32_t number, Kind kind,
                                             const std::vector<Object>& objects) {
  std::vector<Target> targets;
  for (const Object& object : objects)
    for (Target& target : TRY(ResolveObject(kind, object, {}, Missing::kRefuse)))
      targets.push_back(std::move(target));
  return Place(number, kind, std::move(targets));
}

Result<Receipts::Resolved> Receipts::ResolveStanding(std::uint32_t number, Kind kind,
                                                     const std::vector<Object>& objects,
                                                     const std::vector<std::string>& except) {
  std::vector<Target> targets;
  for (Object object : objects) {
    if (policy::HasPath(object.form)) {
      auto real = RealPathOfCanon(object.path, writers_);
      if (!real && real.error().code == Code::kDenied) {
        std::fprintf(stderr, "not granted: %s\n", real.error().message.c_str());
        continue;
      }
      object.path = TRY(std::move(real));
    }
    auto found = TRY(ResolveObject(kind, object, except, Missing::kSkip));
    const bool is_file = !found.empty() && found.front().form == FORM_FILE;
    for (Target& target : found) targets.push_back(std::move(target));
    // What is made under this name later is the same file to who wrote the canon.
    if (objects.size() == 1 && is_file && IsNamed(kind, object))
      if (auto named = ResolveAsName(object)) targets.push_back(std::move(*named));
  }
  return Place(number, kind, std::move(targets));
}

Result<Receipts::Resolved> Receipts::Place(std::uint32_t number, Kind kind,
                                           std::vector<Target> targets) {
  Resolved resolved;
  for (Target& target : targets) {
    GrantPlace place;
    place.form = target.form;
    if (target.form == FORM_ADDRESS) {
      place.is_address = true;
      for (address_key key : target.addresses) {
        key.domain = number;
        place.address = key;
        resolved.places.push_back(place);
      }
      continue;
    }
    if (target.form == FORM_NAMED) {
      if (!resolved.name.empty())
        return Fail(Code::kUnsupported, "a receipt can name one file that does not exist yet, not two; ask for them one by one");
      resolved.name = target.name;
    }
    place.key.domain = number;
    place.key.kind = KernelKind(kind);
    place.key.object = target.fd.is_open() ? TRY(pep_.Mark(target.fd.get())) : target.object;
    resolved.places.push_back(place);
  }
  resolved.targets = std::move(targets);
  return resolved;
}

Result<std::uint32_t> Receipts::FreeSlot() {
  for (int round = 0; round < 2; ++round) {
    for (std::uint32_t tried = 1; tried < MAX_RECEIPTS; ++tried) {
      const std::uint32_t slot = next_slot_;
      next_slot_ = next_slot_ + 1 == MAX_RECEIPTS ? 1 : next_slot_ + 1;
      if (!live_.contains(slot)) return slot;
    }
    std::vector<std::uint32_t> dead;
    for (const auto& [slot, live] : live_)
      if (live.settled) dead.push_back(slot);
    for (const std::uint32_t slot : dead) Bury(slot);
  }
  return Fail(Code::kBusy, fmt::format("{} receipts are live, no more fit", MAX_RECEIPTS - 1));
}

// A receipt that is settled for good needs its row no more.
Result<std::uint32_t> Receipts::FreeBinding() const {
  std::set<std::uint32_t> taken;
  for (const auto& [slot, live] : live_)
    if (!live.settled) taken.insert(live.binding);
  for (std::uint32_t row = 1; row < MAX_BINDINGS; ++row)
    if (!taken.contains(row)) return row;
  return Fail(Code::kBusy, fmt::format("{} receipts with bindings are live, no more fit", MAX_BINDINGS - 1));
}

policy::Receipt Receipts::NewBody(const policy::Canon& canon, const std::string& canon_digest) {
  Receipt body;
  body.tenant = canon.tenant;
  body.domain = canon.domain;
  body.host = host_.id;
  body.boot_id = host_.boot_id;
  body.canon = canon_digest;
  body.sequence = ++sequence_;
  body.not_before_boot_ns = clock_.Boot().ns;
  body.not_before_utc = FormatUtc(clock_.Utc());
  return body;
}

Result<Receipts::Issued> Receipts::Install(Receipt body, std::uint32_t number,
                                           std::uint64_t canon_entry, Resolved resolved, Fd exe,
                                           const json::Value& aliases, const StepOf* step, WaitsFor waits) {
  const std::uint32_t slot = TRY(FreeSlot());
  const std::string bytes = policy::EncodeReceipt(body);
  const bool is_bound = policy::IsBound(body.binding);
  Live live;
  if (is_bound) live.binding = TRY(FreeBinding());
  live.receipt = body;
  live.id = policy::ReceiptId(bytes);
  live.number = number;
  live.slot = slot;
  live.gen = pep_.ReadSlot(slot).gen + 1;
  if (live.gen == 0) live.gen = 1;
  live.expires_boot_ns = body.expires_boot_ns;
  live.targets = std::move(resolved.targets);
  live.exe = std::move(exe);

  json::Object record =
      ReceiptRecord(live.id, bytes, Unarmour(SshSign(signer_, policy::kReceiptNamespace, bytes)));
  record["domain"] = body.domain;
  record["canon_entry"] = json::Integer(canon_entry);
  ledger::Meta meta;
  if (waits == WaitsFor::kWitnesses) live.waiting = Live::Waiting{0, resolved.places, resolved.name};
  meta[SlotKey(slot)] = RowOf(live);
  meta["sequence"] = fmt::format("{}:{}", host_.boot_id, sequence_);
  if (!aliases.array().empty()) record["aliases"] = aliases;
  if (step != nullptr) record["decided_ms"] = json::Integer(step->decided_ms);
  if (waits == WaitsFor::kWitnesses) record["waits_for"] = "witnesses";
  const ledger::Position position = TRY(ledger_.Append(
      {{"ISSUE", std::move(record), step != nullptr ? step->index_key : "",
        ledger::Authority::kGives}},
      std::move(meta)));

  Issued issued{live.id, position.first, live.expires_boot_ns, body.expires_utc, body.uses, live.waiting.has_value()};
  if (live.waiting) live.waiting->entry = position.first;
  else TRY(PutIntoGate(live, resolved.places, resolved.name));
  live_.emplace(slot, std::move(live));
  return issued;
}

Status Receipts::PutIntoGate(Live& live, const std::vector<GrantPlace>& places, const std::string& name) {
  receipt_slot kernel{};
  kernel.state = SLOT_FREE;
  kernel.gen = live.gen;
  kernel.domain = live.number;
  kernel.kind = KernelKind(live.receipt.kind);
  kernel.not_before_boot_ns = live.receipt.not_before_boot_ns;
  kernel.expires_boot_ns = live.receipt.expires_boot_ns;
  kernel.max_uses = live.receipt.uses;
  kernel.flags = live.receipt.is_standing ? RECEIPT_STANDING : 0;
  if (live.exe.is_open()) kernel.exe = TRY(pep_.Mark(live.exe.get()));
  if (policy::IsBound(live.receipt.binding)) {
    kernel.flags |= RECEIPT_BOUND;
    kernel.binding = live.binding;
    pep_.WriteBinding(live.binding, BindingRow(live.receipt.binding, live.slot, live.gen));
  }
  live.epoch = pep_.ReadEpoch(live.number) & ~EPOCH_STOPPED;
  kernel.epoch = live.epoch;
  kernel.name_len = static_cast<__u32>(name.size());
  std::memcpy(kernel.name, name.data(), name.size());
  pep_.WriteSlot(live.slot, kernel);
  names_.SetReceipt(live.slot, live.gen, live.id);
  const Status placed = grants_.Place(live.slot, live.gen, places);
  if (!placed) {
    json::Object why{{"id", live.id}, {"domain", live.receipt.domain},
                     {"why", "not installed: " + policy::EscapeForPeople(placed.error().message)}};
    TRY(ledger_.Append({{"REVOKE", std::move(why)}}, {{SlotKey(live.slot), ""}}));
    return tl::unexpected(placed.error());
  }
  pep_.SetState(live.slot, SLOT_LIVE);
  return {};
}

Result<std::uint64_t> Receipts::GrantWitnessed(std::uint64_t size, ledger::Record also) {
  std::vector<ledger::Record> records;
  ledger::Meta meta;
  std::vector<std::uint32_t> slots;
  records.push_back(std::move(also));
  for (auto& [slot, live] : live_) {
    if (!live.waiting || live.revoked || live.settled || live.waiting->entry >= size ||
        clock_.Boot().ns >= live.expires_boot_ns)
      continue;
    json::Object body{{"id", live.id}, {"domain", live.receipt.domain}, {"size", json::Integer(size)}};
    records.push_back({"WITNESSED", std::move(body), "", ledger::Authority::kGives});
    // The row of one that is in the gate; a start that does not find it there revokes it.
    const auto waiting = std::exchange(live.waiting, std::nullopt);
    meta[SlotKey(slot)] = RowOf(live);
    live.waiting = waiting;
    slots.push_back(slot);
  }
  TRY(ledger_.Append(std::move(records), std::move(meta)));
  std::uint64_t granted = 0;
  for (const std::uint32_t slot : slots) {
    Live& live = live_.at(slot);
    const auto waiting = std::exchange(live.waiting, std::nullopt);
    const Status put = PutIntoGate(live, waiting->places, waiting->name);
    if (put) {
      ++granted;
      continue;
    }
    std::fprintf(stderr, "witnessed receipt %s: %s\n", live.id.c_str(), put.error().message.c_str());
    // It is recorded as revoked, and its slot in the gate was never live.
    pep_.SetState(slot, SLOT_REVOKED);
    live.revoked = true;
    live.dead_since_ns = clock_.Boot().ns;
  }
  return granted;
}

Result<Receipts::Issued> Receipts::Issue(const policy::Canon& canon, std::uint32_t number,
                                         std::uint64_t canon_entry,
                                         const policy::Request& request,
                                         const std::string& principal,
                                         std::optional<Refusal>& refusal, const StepOf* step,
                                         const std::string& break_glass) {
  const auto aliases = TRY(FindAliases(canon, writers_));
  const bool is_narrowed = step != nullptr && step->narrowed != nullptr;
  const policy::Canon real = policy::WithAliases(is_narrowed ? *step->narrowed : canon, aliases);
  policy::Decision decision = policy::Decide(real, request);
  if (decision.code != policy::DecisionCode::kPermitted) {
    json::Object body{{"domain", canon.domain},
                      {"rule", json::Bytes(request.rule)},
                      {"code", policy::DecisionCodeName(decision.code)},
                      {"reason", json::Bytes(decision.reason)},
                      {"canon_entry", json::Integer(canon_entry)},
                      {"principal", principal}};
    json::Array rules;
    for (const std::string& rule : decision.rules) rules.push_back(rule);
    body["rules"] = std::move(rules);
    if (request.object) body["object"] = policy::ObjectJson(*request.object);
    if (request.ttl_ns) body["ttl_ns"] = json::Integer(*request.ttl_ns);
    if (request.uses) body["uses"] = json::Integer(*request.uses);
    if (!request.exe.empty()) body["exe"] = json::Bytes(request.exe);
    policy::AddBinding(request.binding, body);
    if (!aliases.empty()) body["aliases"] = AliasesJson(aliases);
    if (step != nullptr) {
      body["session"] = step->session;
      body["step"] = json::Integer(step->step);
    }
    if (!break_glass.empty()) body["break_glass"] = break_glass;
    const ledger::Position position = TRY(ledger_.Append({{"REFUSED", std::move(body)}}));
    std::string message = decision.reason;
    refusal = Refusal{std::move(decision), position.first};
    return Fail(Code::kDenied, std::move(message));
  }
  const auto& witnessed = canon.terms.witnessed;
  const WaitsFor waits = std::find(witnessed.begin(), witnessed.end(), decision.kind) != witnessed.end() ? WaitsFor::kWitnesses : WaitsFor::kNothing;
  if (waits == WaitsFor::kWitnesses) TRY(ReadWitnesses(host_.witness_policy));
  Resolved resolved = TRY(Resolve(number, decision.kind, decision.objects));
  Fd exe;
  if (!request.exe.empty()) {
    Object program;
    program.path = request.exe;
    auto targets = TRY(ResolveObject(Kind::kExec, program, {}, Missing::kRefuse));
    exe = std::move(targets.front().fd);
    names_.SetProgram(TRY(pep_.Mark(exe.get())), request.exe);
  }
  Receipt body = NewBody(canon, Hex(Sha256(json::Encode(policy::CanonJson(canon)))));
  body.rule = request.rule;
  body.principal = principal;
  body.kind = decision.kind;
  body.objects = decision.objects;
  body.exe = request.exe;
  body.binding = decision.binding;
  body.expires_boot_ns = body.not_before_boot_ns + decision.ttl_ns;
  body.expires_utc = FormatUtc({clock_.Utc().ms + static_cast<std::int64_t>(decision.ttl_ns / 1'000'000)});
  body.uses = decision.uses;
  if (step != nullptr) {
    body.session = step->session;
    body.run = step->run;
    body.step = step->step;
    body.parent = step->parent;
  }
  body.break_glass = break_glass;
  return Install(std::move(body), number, canon_entry, std::move(resolved), std::move(exe), AliasesJson(aliases), step, waits);
}

Status Receipts::KeepStanding(const policy::Canon& canon, std::uint32_t number,
                              std::uint64_t canon_entry) {
  const std::uint64_t now = clock_.Boot().ns;
  std::string digest;  // only when something is to be renewed
  for (const policy::Standing& standing : AllPieces(canon)) {
    NotifyAlive();  // each may wait for the disk
    const auto held = std::find_if(live_.begin(), live_.end(), [&](const auto& entry) {
      const Live& live = entry.second;
      return live.number == number && !live.revoked && !live.settled &&
             live.expires_boot_ns > now && SameGrant(live.receipt, standing);
    });
    if (held != live_.end() && held->second.expires_boot_ns > now + kRenewBelowNs) continue;
    Resolved resolved = TRY(ResolveStanding(number, standing.kind, standing.objects, standing.except));
    if (resolved.places.empty()) continue;  // nothing of it exists on this host
    if (digest.empty()) digest = Hex(Sha256(json::Encode(policy::CanonJson(canon))));
    Receipt body = NewBody(canon, digest);
    body.rule = standing.id;
    body.is_standing = true;
    body.principal = "daemon";
    body.kind = standing.kind;
    body.objects = standing.objects;
    body.except = standing.except;
    body.expires_boot_ns = now + kStandingNs;
    body.expires_utc = FormatUtc({clock_.Utc().ms + static_cast<std::int64_t>(kStandingNs / 1'000'000)});
    body.uses = kStandingUses;
    if (held == live_.end()) {
      TRY(Install(std::move(body), number, canon_entry, std::move(resolved), Fd()));
      continue;
    }
    Live& live = held->second;
    body.renews = live.id;
    const std::string bytes = policy::EncodeReceipt(body);
    const std::string id = policy::ReceiptId(bytes);
    json::Object record =
        ReceiptRecord(id, bytes, Unarmour(SshSign(signer_, policy::kReceiptNamespace, bytes)));
    record["domain"] = canon.domain;
    record["renews"] = live.id;
    record["canon_entry"] = json::Integer(canon_entry);
    Live renewed_row;
    renewed_row.receipt = live.receipt;
    renewed_row.id = live.id;
    renewed_row.slot = live.slot;
    renewed_row.gen = live.gen;
    renewed_row.last = live.last;
    renewed_row.expires_boot_ns = body.expires_boot_ns;
    ledger::Meta meta;
    meta[SlotKey(live.slot)] = RowOf(renewed_row);
    meta["sequence"] = fmt::format("{}:{}", host_.boot_id, sequence_);
    TRY(ledger_.Append({{"RENEW", std::move(record), "", ledger::Authority::kGives}}, std::move(meta)));
    TRY(grants_.Place(live.slot, live.gen, resolved.places));
    live.targets = std::move(resolved.targets);
    live.expires_boot_ns = body.expires_boot_ns;
    pep_.SetExpiry(live.slot, body.expires_boot_ns);
  }
  return {};
}

Result<std::string> Receipts::Revoke(const std::string& id_or_prefix, const std::string& why) {
  Live* found = nullptr;
  for (auto& [slot, live] : live_) {
    const bool matches = live.id == id_or_prefix ||
                         (id_or_prefix.size() >= 8 && live.id.starts_with(id_or_prefix));
    if (!matches || live.revoked || live.settled) continue;
    if (found != nullptr) return Fail(Code::kInvalid, id_or_prefix + ": more than one receipt starts like this");
    found = &live;
  }
  if (found == nullptr) return Fail(Code::kNotFound, id_or_prefix + ": no live receipt has this id");
  // Dead first: a revocation that is recorded but not in force would be worse
  // than one that is in force and recorded a moment later.
  const std::uint64_t live_until = clock_.Boot().ns;
  if (!found->waiting) pep_.SetState(found->slot, SLOT_REVOKED);
  found->revoked = true;
  found->dead_since_ns = clock_.Boot().ns;
  json::Object body{{"id", found->id}, {"domain", found->receipt.domain}, {"why", json::Bytes(why)},
                    {"live_until_boot_ns", json::Integer(live_until)},
                    {"dead_from_boot_ns", json::Integer(found->dead_since_ns)}};
  TRY(ledger_.Append({{"REVOKE", std::move(body)}}, {{SlotKey(found->slot), RowOf(*found)}}));
  return found->id;
}

Result<std::uint64_t> Receipts::RevokeWhere(const std::function<bool(const Live&)>& which,
                                            const std::string& why, std::optional<Moment> since) {
  std::vector<ledger::Record> records;
  ledger::Meta meta;
  const std::uint64_t live_until = since ? since->live_until_ns : clock_.Boot().ns;
  std::vector<std::uint32_t> dead;
  for (auto& [slot, live] : live_) {
    if (live.revoked || live.settled || !which(live)) continue;
    if (!live.waiting) pep_.SetState(slot, SLOT_REVOKED);
    dead.push_back(slot);
  }
  const std::uint64_t dead_from = since ? since->dead_from_ns : clock_.Boot().ns;
  for (const std::uint32_t slot : dead) {
    Live& live = live_.at(slot);
    live.revoked = true;
    live.dead_since_ns = clock_.Boot().ns;
    json::Object body{{"id", live.id}, {"domain", live.receipt.domain}, {"why", json::Bytes(why)},
                      {"live_until_boot_ns", json::Integer(live_until)},
                      {"dead_from_boot_ns", json::Integer(dead_from)}};
    records.push_back({"REVOKE", std::move(body)});
    meta[SlotKey(slot)] = RowOf(live);
  }
  const std::uint64_t count = records.size();
  if (count != 0) TRY(ledger_.Append(std::move(records), std::move(meta)));
  return count;
}

Receipts::Moment Receipts::RaiseEpoch(std::uint32_t number, Epoch epoch) {
  Moment moment;
  const std::uint32_t next = (pep_.ReadEpoch(number) & ~EPOCH_STOPPED) + 1;
  moment.live_until_ns = clock_.Boot().ns;
  pep_.SetEpoch(number, epoch == Epoch::kStopped ? next | EPOCH_STOPPED : next);
  moment.dead_from_ns = clock_.Boot().ns;
  epochs_[number] = pep_.ReadEpoch(number);
  return moment;
}

Status Receipts::ReviewUnder(std::uint32_t number, const policy::Canon* canon,
                             policy::OldReceipts issued) {
  std::vector<std::string> revoke;
  std::optional<policy::Canon> real;
  std::optional<policy::Forbids> forbids;
  if (canon != nullptr) {
    real = TRY(WithRealPaths(*canon, writers_));
    forbids.emplace(*real);
  }
  const std::vector<policy::Standing> pieces = canon == nullptr ? std::vector<policy::Standing>{} : AllPieces(*canon);
  for (const auto& [slot, live] : live_) {
    if (live.number != number || live.revoked || live.settled) continue;
    NotifyAlive();
    if (issued == policy::OldReceipts::kKeep && !live.receipt.is_standing) continue;
    bool permitted = false;
    if (canon != nullptr && live.receipt.is_standing) {
      permitted = std::any_of(pieces.begin(), pieces.end(),
                              [&live = live](const auto& piece) { return SameGrant(live.receipt, piece); });
    } else if (canon != nullptr) {
      permitted = true;
      for (const Object& object : live.receipt.objects) {
        policy::Request request;
        request.rule = live.receipt.rule;
        request.object = object;
        request.ttl_ns = live.receipt.expires_boot_ns - live.receipt.not_before_boot_ns;
        request.uses = live.receipt.uses;
        request.binding = live.receipt.binding;
        request.from_session = !live.receipt.session.empty() || !live.receipt.break_glass.empty();
        const policy::Decision decision = policy::Decide(*real, *forbids, request);
        permitted = permitted && decision.code == policy::DecisionCode::kPermitted &&
                    decision.kind == live.receipt.kind && decision.binding == live.receipt.binding;
      }
    }
    if (!permitted) revoke.push_back(live.id);
  }
  for (const std::string& id : revoke) {
    NotifyAlive();
    TRY(Revoke(id, "the canon in force does not permit it"));
  }
  return {};
}

std::vector<std::string> Receipts::CompareWithGate() {
  std::vector<std::string> differences;
  std::vector<std::string> revoke;
  for (const auto& [number, epoch] : epochs_) {
    if (pep_.ReadEpoch(number) == epoch) continue;
    pep_.SetEpoch(number, epoch);
    differences.push_back(fmt::format("domain number {}: its epoch was changed; set right again", number));
  }
  for (std::uint32_t slot = 1; slot < MAX_RECEIPTS; ++slot) {
    const receipt_slot gate = pep_.ReadSlot(slot);
    const auto at = live_.find(slot);
    if (at == live_.end()) {
      if (gate.state == SLOT_FREE) continue;
      pep_.SetState(slot, SLOT_FREE);
      differences.push_back(fmt::format("slot {}: held a receipt that was never issued; freed", slot));
      continue;
    }
    const Live& live = at->second;
    if (live.waiting) {
      if (gate.state == SLOT_FREE) continue;
      pep_.SetState(slot, SLOT_FREE);
      differences.push_back(fmt::format("slot {}: held a receipt that waits for witnesses; freed", slot));
      continue;
    }
    const char* what = nullptr;
    if (gate.gen != live.gen || gate.domain != live.number || gate.kind != KernelKind(live.receipt.kind))
      what = "whom it is for";
    else if (gate.max_uses != live.receipt.uses || gate.used < live.last.used || gate.checked < live.last.checked)
      what = "its uses";
    else if (gate.expires_boot_ns != live.expires_boot_ns || gate.not_before_boot_ns != live.receipt.not_before_boot_ns)
      what = "its time";
    else if ((gate.flags & RECEIPT_STANDING) != (live.receipt.is_standing ? __u32{RECEIPT_STANDING} : __u32{0}))
      what = "that it stands";
    else if (live.revoked && gate.state != SLOT_REVOKED)
      what = "that it is revoked";
    else if (gate.epoch != live.epoch)
      what = "its epoch";
    else if ((gate.exe != 0) != live.exe.is_open())
      what = "its program";
    else if (!HoldsBinding(pep_, gate, live))
      what = "what it binds";
    if (what == nullptr) continue;
    differences.push_back(fmt::format("receipt {} in slot {}: {} was changed; revoked", live.id, slot, what));
    pep_.SetState(slot, SLOT_REVOKED);
    if (!live.revoked && !live.settled) revoke.push_back(live.id);
  }
  for (const std::string& id : revoke)
    if (const auto revoked = Revoke(id, "its slot in the gate was changed"); !revoked)
      std::fprintf(stderr, "revoke %s: %s\n", id.c_str(), revoked.error().message.c_str());
  return differences;
}

std::string Receipts::StateOf(const Live& live) const {
  if (live.revoked) return "revoked";
  if (clock_.Boot().ns >= live.expires_boot_ns) return "expired";
  if (live.waiting) return "waiting";
  if (UseOf(live).used >= live.receipt.uses) return "exhausted";
  return "live";
}

SlotUse Receipts::UseOf(const Live& live) const {
  if (live.waiting) return {};
  const receipt_slot slot = pep_.ReadSlot(live.slot);
  return {std::min<std::uint64_t>(slot.used, live.receipt.uses), slot.checked};
}

std::string Receipts::RowOf(const Live& live) const {
  json::Object row;
  row["id"] = live.id;
  row["boot_id"] = live.receipt.boot_id;
  row["domain"] = live.receipt.domain;
  row["gen"] = json::Integer(live.gen);
  row["body"] = policy::EncodeReceipt(live.receipt);
  row["expires_boot_ns"] = json::Integer(live.expires_boot_ns);
  row["revoked"] = live.revoked;
  row["settled"] = live.settled;
  row["used"] = json::Integer(live.last.used);
  row["checked"] = json::Integer(live.last.checked);
  if (live.waiting) row["waiting"] = true;
  json::Array handles;
  if (!live.receipt.is_standing)
    for (const Target& target : live.targets) handles.push_back(target.handle);
  row["handles"] = std::move(handles);
  return json::Encode(row);
}

void Receipts::SettleRecords(std::vector<ledger::Record>& records, ledger::Meta& meta) {
  const std::uint64_t now = clock_.Boot().ns;
  for (auto& [slot, live] : live_) {
    if (live.settled) continue;
    const SlotUse use = UseOf(live);
    // A second's grace: an act that was judged in time may still be counting.
    const bool expired = now >= live.expires_boot_ns + kSecondNs;
    const bool ended = expired || (live.revoked && now >= live.dead_since_ns + kSecondNs);
    if (!ended && use.used == live.last.used && use.checked == live.last.checked) continue;
    live.last = use;
    if (ended) {
      live.settled = true;
      live.dead_since_ns = now;
    }
    json::Object body{{"id", live.id}, {"domain", live.receipt.domain},
                      {"used", json::Integer(use.used)}, {"checked", json::Integer(use.checked)},
                      {"final", ended}};
    if (ended) body["state"] = StateOf(live);
    records.push_back({"SETTLED", std::move(body)});
    meta[SlotKey(slot)] = RowOf(live);
  }
}

void Receipts::Settle() {
  std::vector<ledger::Record> records;
  ledger::Meta meta;
  SettleRecords(records, meta);
  if (!records.empty())
    ledger_.AppendAsync(std::move(records), std::move(meta), [](const Result<ledger::Position>&) {});
  const std::uint64_t now = clock_.Boot().ns;
  std::vector<std::uint32_t> bury;
  for (const auto& [slot, live] : live_)
    if (live.settled && now >= live.dead_since_ns + kBuryAfterNs) bury.push_back(slot);
  for (const std::uint32_t slot : bury) Bury(slot);
}

Status Receipts::SettleNow() {
  std::vector<ledger::Record> records;
  ledger::Meta meta;
  SettleRecords(records, meta);
  // Without a record as well: then it waits for those that Settle() left under way.
  TRY(ledger_.Append(std::move(records), std::move(meta)));
  return {};
}

void Receipts::Bury(std::uint32_t slot) {
  const auto at = live_.find(slot);
  const Status removed = grants_.Remove(slot);
  if (!removed) std::fprintf(stderr, "bury a receipt: %s\n", removed.error().message.c_str());
  pep_.SetState(slot, SLOT_FREE);
  names_.ForgetReceipt(slot, at->second.gen);
  live_.erase(at);
  ledger_.AppendAsync({}, {{SlotKey(slot), ""}}, [](const Result<ledger::Position>&) {});
}

Status Receipts::RestoreOne(std::uint32_t slot, const json::Value& row, std::uint32_t number) {
  Live live;
  live.receipt = TRY(policy::ParseReceipt(TRY(json::GetString(row, "body"))));
  live.id = TRY(json::GetString(row, "id"));
  live.number = number;
  live.slot = slot;
  live.gen = static_cast<std::uint32_t>(TRY(json::GetInteger(row, "gen")));
  live.expires_boot_ns = TRY(json::GetInteger(row, "expires_boot_ns"));
  live.revoked = row.Find("revoked") != nullptr && *row.Find("revoked") == json::Value(true);
  live.settled = row.Find("settled") != nullptr && *row.Find("settled") == json::Value(true);
  live.last = {TRY(json::GetInteger(row, "used")), TRY(json::GetInteger(row, "checked"))};
  live.dead_since_ns = clock_.Boot().ns;
  const receipt_slot kernel = pep_.ReadSlot(slot);
  if (kernel.gen != live.gen || kernel.state == SLOT_FREE) {
    json::Object body{{"id", live.id}, {"domain", live.receipt.domain},
                      {"why", row.Find("waiting") != nullptr ? "not installed: it waited for witnesses when the daemon ended"
                                                             : "not installed: the daemon ended between the record and the gate"}};
    TRY(ledger_.Append({{"REVOKE", std::move(body)}}, {{SlotKey(slot), ""}}));
    return {};
  }
  live.epoch = kernel.epoch;
  if ((kernel.state == SLOT_REVOKED || kernel.epoch < pep_.ReadEpoch(number)) && !live.revoked) {
    pep_.SetState(slot, SLOT_REVOKED);
    live.revoked = true;
    // When, nobody knows: some time in its life.
    json::Object body{{"id", live.id}, {"domain", live.receipt.domain},
                      {"why", "revoked before the daemon ended"},
                      {"live_until_boot_ns", json::Integer(live.receipt.not_before_boot_ns)},
                      {"dead_from_boot_ns", json::Integer(live.dead_since_ns)}};
    TRY(ledger_.Append({{"REVOKE", std::move(body)}}, {{SlotKey(slot), RowOf(live)}}));
  }
  live.binding = kernel.binding;
  names_.SetReceipt(slot, live.gen, live.id);
  Resolved resolved;
  if (live.receipt.is_standing) {
    resolved = TRY(ResolveStanding(number, live.receipt.kind, live.receipt.objects, live.receipt.except));
  } else {
    // The objects are the inodes of the issue, whatever has their names now.
    const json::Value* const handles = row.Find("handles");
    std::size_t index = 0;
    const auto is_issued = [&](const Target& target) {
      return handles != nullptr && handles->is_array() && index < handles->array().size() &&
             !target.handle.empty() && handles->array()[index] == json::Value(target.handle);
    };
    std::vector<Target> same;
    for (const Object& object : live.receipt.objects) {
      auto targets = ResolveObject(live.receipt.kind, object, live.receipt.except, Missing::kSkip);
      if (!targets) continue;
      for (Target& target : *targets) {
        if (!target.fd.is_open() || is_issued(target)) {
          same.push_back(std::move(target));
        } else if (auto named = ResolveAsName(object); named && is_issued(*named)) {
          same.push_back(std::move(*named));  // it was issued for a name, and the file was made since
        }
        ++index;
      }
    }
    resolved = TRY(Place(number, live.receipt.kind, std::move(same)));
    if (!live.receipt.exe.empty()) {
      Object program;
      program.path = live.receipt.exe;
      auto targets = ResolveObject(Kind::kExec, program, {}, Missing::kSkip);
      if (targets && !targets->empty()) live.exe = std::move(targets->front().fd);
    }
  }
  TRY(grants_.Place(slot, live.gen, resolved.places));
  live.targets = std::move(resolved.targets);
  live_.emplace(slot, std::move(live));
  return {};
}

Status Receipts::Restore(const std::map<std::string, std::uint32_t>& domains) {
  for (std::uint32_t number = 1; number < MAX_DOMAINS; ++number) epochs_[number] = pep_.ReadEpoch(number);
  for (const auto& [key, bytes] : TRY(ledger_.ScanMeta("slot/"))) {
    const json::Value row = TRY(json::Parse(bytes));
    const std::uint64_t slot = std::stoull(key);
    const auto domain = domains.find(TRY(json::GetString(row, "domain")));
    if (slot == 0 || slot >= MAX_RECEIPTS || domain == domains.end() ||
        TRY(json::GetString(row, "boot_id")) != host_.boot_id)
      return Fail(Code::kCorrupt, "ledger: slot row " + key);
    TRY(RestoreOne(static_cast<std::uint32_t>(slot), row, domain->second));
  }
  const auto sequence = TRY(ledger_.ReadMeta("sequence"));
  if (sequence && sequence->starts_with(host_.boot_id + ":"))
    sequence_ = std::stoull(sequence->substr(host_.boot_id.size() + 1));
  for (std::uint32_t slot = 1; slot < MAX_RECEIPTS; ++slot)
    if (!live_.contains(slot) && pep_.ReadSlot(slot).state != SLOT_FREE) pep_.SetState(slot, SLOT_FREE);
  return grants_.KeepOnlyOurs();
}

}  // namespace proofgate::agent
