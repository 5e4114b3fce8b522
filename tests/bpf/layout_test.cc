// The two sides of wire.h: sizes and offsets in the BTF of the compiled gate
// are those that this compiler gives the same structures.

#include <bpf/btf.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <map>
#include <memory>
#include <string>

#include "bpf/wire.h"

namespace {

struct BtfDeleter {
  void operator()(btf* types) const { btf__free(types); }
};

class Layout : public ::testing::Test {
 protected:
  void SetUp() override {
    types_.reset(btf__parse(PEP_OBJECT, nullptr));
    ASSERT_NE(types_, nullptr) << PEP_OBJECT;
  }
  void Expect(const char* name, std::size_t size, const std::map<std::string, std::size_t>& want) {
    const int id = btf__find_by_name_kind(types_.get(), name, BTF_KIND_STRUCT);
    ASSERT_GT(id, 0) << name;
    const btf_type* type = btf__type_by_id(types_.get(), static_cast<__u32>(id));
    EXPECT_EQ(type->size, size) << name;
    std::map<std::string, std::size_t> found;
    const btf_member* member = btf_members(type);
    for (int i = 0; i < btf_vlen(type); ++i)
      found[btf__name_by_offset(types_.get(), member[i].name_off)] = member[i].offset / 8;
    EXPECT_EQ(found, want) << name;
  }
  std::unique_ptr<btf, BtfDeleter> types_;
};

#define AT(type, member) {#member, offsetof(type, member)}

TEST_F(Layout, Receipt) {
  Expect("receipt_slot", sizeof(receipt_slot),
         {AT(receipt_slot, state), AT(receipt_slot, gen), AT(receipt_slot, domain),
          AT(receipt_slot, kind), AT(receipt_slot, not_before_boot_ns),
          AT(receipt_slot, expires_boot_ns), AT(receipt_slot, max_uses), AT(receipt_slot, used),
          AT(receipt_slot, checked), AT(receipt_slot, exe), AT(receipt_slot, flags),
          AT(receipt_slot, name_len), AT(receipt_slot, name), AT(receipt_slot, binding), AT(receipt_slot, epoch)});
}

TEST_F(Layout, Bindings) {
  Expect("env_name", sizeof(env_name), {AT(env_name, text), AT(env_name, mask)});
  Expect("env_value", sizeof(env_value),
         {AT(env_value, start), AT(env_value, bytes), AT(env_value, pad), AT(env_value, text)});
  Expect("exec_binding", sizeof(exec_binding),
         {AT(exec_binding, slot), AT(exec_binding, gen), AT(exec_binding, flags), AT(exec_binding, argc),
          AT(exec_binding, argv_bytes), AT(exec_binding, names), AT(exec_binding, values), AT(exec_binding, pad),
          AT(exec_binding, content), AT(exec_binding, argv), AT(exec_binding, no_env), AT(exec_binding, env)});
}

TEST_F(Layout, Grants) {
  Expect("grant", sizeof(grant), {AT(grant, slot), AT(grant, gen), AT(grant, form), AT(grant, pad)});
  Expect("grant_list", sizeof(grant_list),
         {AT(grant_list, of), AT(grant_list, count), AT(grant_list, pad), AT(grant_list, grants)});
  Expect("grant_key", sizeof(grant_key),
         {AT(grant_key, object), AT(grant_key, domain), AT(grant_key, kind)});
  Expect("address", sizeof(address),
         {AT(address, family), AT(address, proto), AT(address, port), AT(address, bytes)});
  Expect("address_key", sizeof(address_key),
         {AT(address_key, prefix_bits), AT(address_key, domain), AT(address_key, address)});
  Expect("mark", sizeof(mark), {AT(mark, object)});
}

TEST_F(Layout, Scope) {
  Expect("label", sizeof(label),
         {AT(label, owner), AT(label, domain), AT(label, is_entering), AT(label, exe), AT(label, exe_next),
          AT(label, created), AT(label, created_slot), AT(label, created_gen),
          AT(label, exec_slot), AT(label, exec_gen), AT(label, opens_peer), AT(label, bound_distance), AT(label, bound_object),
          AT(label, content_known), AT(label, pad2), AT(label, content)});
  Expect("domain_state", sizeof(domain_state),
         {AT(domain_state, mode), AT(domain_state, judges_reads), AT(domain_state, tasks), AT(domain_state, act_seq),
          AT(domain_state, deny_seq), AT(domain_state, unrecorded), AT(domain_state, denials),
          AT(domain_state, would_deny)});
  Expect("gate_settings", sizeof(gate_settings),
         {AT(gate_settings, next_object), AT(gate_settings, labels_lost),
          AT(gate_settings, scope_repairs), AT(gate_settings, release_cgroup),
          AT(gate_settings, daemon_tgid), AT(gate_settings, guard_dev),
          AT(gate_settings, judges_reads), AT(gate_settings, state_gid)});
}

TEST_F(Layout, Epochs) { Expect("gate_epochs", sizeof(gate_epochs), {AT(gate_epochs, domains)}); }

TEST_F(Layout, Presence) {
  Expect("gate_presence", sizeof(gate_presence),
         {AT(gate_presence, whole), AT(gate_presence, pad), AT(gate_presence, labels),
          AT(gate_presence, openings)});
}

TEST_F(Layout, Record) {
  Expect("act_record", sizeof(act_record),
         {AT(act_record, version), AT(act_record, verdict), AT(act_record, domain),
          AT(act_record, code), AT(act_record, seq), AT(act_record, boot_ns),
          AT(act_record, kind), AT(act_record, op), AT(act_record, slot), AT(act_record, gen),
          AT(act_record, exe), AT(act_record, object), AT(act_record, ino),
          AT(act_record, cgroup), AT(act_record, dev), AT(act_record, mode),
          AT(act_record, tgid), AT(act_record, tid), AT(act_record, uid),
          AT(act_record, detail), AT(act_record, address), AT(act_record, address_len),
          AT(act_record, comm), AT(act_record, depth), AT(act_record, more),
          AT(act_record, components)});
}

}  // namespace
