// Grants: which receipt slots name which object or address, kept equal in
// memory and in the gate. One thread.

#ifndef PROOFGATE_AGENT_GRANTS_H_
#define PROOFGATE_AGENT_GRANTS_H_

#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent/pep.h"

namespace proofgate::agent {

struct GrantPlace {
  bool is_address = false;
  grant_key key{};          // the object, or
  address_key address{};    // the addresses
  grant_form form = FORM_FILE;

  std::string Id() const { return is_address ? "a" + KeyBytes(address) : "o" + KeyBytes(key); }
};

class Grants {
 public:
  explicit Grants(Pep& pep) : pep_(pep) {}

  // Makes `places` the places of the slot: new ones first, then the old ones go.
  // On error a slot that had none has none; one that had some keeps at least those.
  Status Place(std::uint32_t slot, std::uint32_t gen, const std::vector<GrantPlace>& places);
  // Takes the slot out of every row.
  Status Remove(std::uint32_t slot);
  // Removes rows that the gate holds and we do not.
  Status KeepOnlyOurs();

 private:
  using Row = std::vector<grant>;
  Row& RowOf(const GrantPlace& place);
  Status Write(const GrantPlace& place);
  Status RemoveFrom(const GrantPlace& place, std::uint32_t slot);
  Status WriteObject(const std::string& key);
  Status WriteAddressesUnder(const address_key& block);
  Row Effective(const address_key& block) const;

  Pep& pep_;
  std::map<std::string, Row> objects_;        // by the bytes of the key
  std::map<std::string, Row> addresses_;      // own grants of a block; the gate also gets those of
                                              // the blocks around it
  std::map<std::uint32_t, std::vector<GrantPlace>> places_;  // by slot
};

}  // namespace proofgate::agent

#endif  // PROOFGATE_AGENT_GRANTS_H_
