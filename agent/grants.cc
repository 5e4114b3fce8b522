#include "agent/grants.h"

#include <algorithm>
#include <cstring>

namespace proofgate::agent {
namespace {

template <class Key>
Key FromBytes(const std::string& bytes) {
  Key key{};
  std::memcpy(&key, bytes.data(), sizeof(key));
  return key;
}

// Is every address of `inner` one of `outer`? Both for one domain, family,
// protocol and port: the gate looks those up exactly.
bool Covers(const address_key& outer, const address_key& inner) {
  if (outer.domain != inner.domain || outer.address.family != inner.address.family ||
      outer.address.proto != inner.address.proto || outer.address.port != inner.address.port ||
      outer.prefix_bits > inner.prefix_bits)
    return false;
  const unsigned bits = outer.prefix_bits - 64;
  for (unsigned bit = 0; bit < bits; ++bit) {
    const unsigned mask = 0x80u >> (bit % 8);
    if ((outer.address.bytes[bit / 8] & mask) != (inner.address.bytes[bit / 8] & mask)) return false;
  }
  return true;
}

}  // namespace

Status Grants::WriteObject(const std::string& key) {
  const auto at = objects_.find(key);
  if (at == objects_.end()) return pep_.WriteGrants(FromBytes<grant_key>(key), {});
  return pep_.WriteGrants(FromBytes<grant_key>(key), at->second);
}

Grants::Row Grants::Effective(const address_key& block) const {
  Row row;
  for (const auto& [bytes, own] : addresses_)
    if (Covers(FromBytes<address_key>(bytes), block)) row.insert(row.end(), own.begin(), own.end());
  return row;
}

// A block's grants are also in the rows of the blocks inside it, because the
// gate finds the longest prefix only.
Status Grants::WriteAddressesUnder(const address_key& block) {
  if (!addresses_.contains(KeyBytes(block))) TRY(pep_.WriteAddresses(block, {}));
  for (const auto& [bytes, own] : addresses_) {
    const auto inner = FromBytes<address_key>(bytes);
    if (Covers(block, inner)) TRY(pep_.WriteAddresses(inner, Effective(inner)));
  }
  return {};
}

Grants::Row& Grants::RowOf(const GrantPlace& place) {
  return place.is_address ? addresses_[KeyBytes(place.address)] : objects_[KeyBytes(place.key)];
}

Status Grants::Write(const GrantPlace& place) {
  return place.is_address ? WriteAddressesUnder(place.address) : WriteObject(KeyBytes(place.key));
}

Status Grants::RemoveFrom(const GrantPlace& place, std::uint32_t slot) {
  Row& row = RowOf(place);
  std::erase_if(row, [&](const grant& entry) {
    return entry.slot == slot && entry.form == static_cast<__u32>(place.form);
  });
  if (row.empty()) {
    if (place.is_address)
      addresses_.erase(KeyBytes(place.address));
    else
      objects_.erase(KeyBytes(place.key));
  }
  return Write(place);
}

Status Grants::Place(std::uint32_t slot, std::uint32_t gen, const std::vector<GrantPlace>& places) {
  const bool is_new = !places_.contains(slot);
  std::vector<GrantPlace>& held = places_[slot];
  std::set<std::string> wanted;
  std::set<std::string> have;
  const auto name = [](const GrantPlace& place) { return place.Id() + std::to_string(place.form); };
  for (const GrantPlace& place : held) have.insert(name(place));
  for (const GrantPlace& place : places) {
    wanted.insert(name(place));
    if (!have.insert(name(place)).second) continue;
    RowOf(place).push_back({slot, gen, static_cast<__u32>(place.form), 0});
    held.push_back(place);
    const Status written = Write(place);
    if (written) continue;
    const Status undone = is_new ? Remove(slot) : RemoveFrom(place, slot);
    if (!is_new) held.pop_back();
    return undone ? written : undone;
  }
  std::vector<GrantPlace> kept;
  std::vector<GrantPlace> gone;
  for (const GrantPlace& place : held)
    (wanted.contains(name(place)) ? kept : gone).push_back(place);
  held = std::move(kept);
  for (const GrantPlace& place : gone) TRY(RemoveFrom(place, slot));
  return {};
}

Status Grants::Remove(std::uint32_t slot) {
  const auto at = places_.find(slot);
  if (at == places_.end()) return {};
  const std::vector<GrantPlace> places = std::move(at->second);
  places_.erase(at);
  Status first_error;
  for (const GrantPlace& place : places) {
    const Status removed = RemoveFrom(place, slot);
    if (!removed && first_error) first_error = removed;
  }
  return first_error;
}

Status Grants::KeepOnlyOurs() {
  std::set<std::string> objects;
  for (const auto& [key, row] : objects_) objects.insert(key);
  std::set<std::string> addresses;
  for (const auto& [key, row] : addresses_) addresses.insert(key);
  return pep_.KeepOnly(objects, addresses);
}

}  // namespace proofgate::agent
