// The decision core over its whole input space of categories, against a table
// written independently of it: first matching reason wins.

#include <gtest/gtest.h>

#include <cstring>

extern "C" {
#include "bpf/gate.h"
}

namespace {

constexpr __u64 kNow = 1000;

receipt_slot Live() {
  receipt_slot receipt{};
  receipt.state = SLOT_LIVE;
  receipt.gen = 1;
  receipt.domain = 3;
  receipt.kind = KIND_WRITE;
  receipt.not_before_boot_ns = 10;
  receipt.expires_boot_ns = kNow + 1;
  receipt.max_uses = 1;
  return receipt;
}

gate_act Act() {
  gate_act act{};
  act.domain = 3;
  act.kind = KIND_WRITE;
  act.needs = NEED_USE;
  act.exe = 70;
  return act;
}

TEST(Gate, PermitsALiveReceipt) {
  const receipt_slot receipt = Live();
  const gate_act act = Act();
  EXPECT_EQ(gate_decide(&receipt, &act, kNow), static_cast<__u32>(GATE_OK));
}

TEST(Gate, EveryCombinationOfFaultsRefusesForTheFirst) {
  int permitted = 0;
  int cases = 0;
  for (__u32 kind = KIND_EXEC; kind <= KIND_CONNECT; ++kind)
    for (const __u32 state : {SLOT_FREE, SLOT_LIVE, SLOT_REVOKED})
      for (const int domain_differs : {0, 1})
        for (const int kind_differs : {0, 1})
          for (const __u64 exe : {__u64{0}, __u64{70}, __u64{71}})
            for (const __u32 standing : {0u, 1u})
              for (const __u32 needs : {0u, 1u, 2u, 3u})
                for (const __u64 not_before : {kNow - 1, kNow, kNow + 1})
                  for (const __u64 expires : {kNow - 1, kNow, kNow + 1})
                    for (const __u64 used : {__u64{0}, __u64{1}, ~__u64{0}}) {
                      receipt_slot receipt = Live();
                      gate_act act = Act();
                      receipt.state = state;
                      receipt.kind = kind;
                      act.kind = kind + static_cast<__u32>(kind_differs);
                      act.domain += static_cast<__u32>(domain_differs);
                      receipt.exe = exe;
                      receipt.flags = standing;
                      act.needs = needs;
                      receipt.not_before_boot_ns = not_before;
                      receipt.expires_boot_ns = expires;
                      receipt.used = used;
                      __u32 expected = GATE_OK;
                      if ((needs & NEED_USE) != 0 && used >= 1) expected = GATE_EXHAUSTED;
                      if (expires <= kNow) expected = GATE_EXPIRED;
                      if (not_before > kNow) expected = GATE_NOT_YET;
                      if ((needs & NEED_STANDING) != 0 && standing == 0)
                        expected = GATE_NEEDS_STANDING;
                      if (exe == 71) expected = GATE_EXE_MISMATCH;
                      if (state == SLOT_FREE) expected = GATE_NO_RECEIPT;
                      if (state == SLOT_REVOKED) expected = GATE_REVOKED;
                      if (domain_differs != 0 || kind_differs != 0) expected = GATE_NO_RECEIPT;
                      ASSERT_EQ(gate_decide(&receipt, &act, kNow), expected);
                      permitted += expected == GATE_OK ? 1 : 0;
                      ++cases;
                    }
  EXPECT_GT(permitted, 0);
  EXPECT_GT(cases, 10000);
}

TEST(Gate, AReceiptOfAnEarlierEpochIsRevokedWhateverItsState) {
  receipt_slot receipt = Live();
  gate_act act = Act();
  for (const __u32 epoch : {0u, 1u, 7u, ~EPOCH_STOPPED})  // no receipt has a higher one
    for (const __u32 of_domain : {0u, 1u, 7u, ~EPOCH_STOPPED, EPOCH_STOPPED, EPOCH_STOPPED | 7}) {
      receipt.epoch = epoch;
      act.epoch = of_domain;
      const __u32 expected = epoch < of_domain ? GATE_REVOKED : GATE_OK;
      EXPECT_EQ(gate_decide(&receipt, &act, kNow), expected) << epoch << " " << of_domain;
    }
}

TEST(Gate, UnknownStatesAndFormsRefuse) {
  receipt_slot receipt = Live();
  gate_act act = Act();
  for (const __u32 state : {3u, 99u, ~0u}) {
    receipt.state = state;
    EXPECT_NE(gate_decide(&receipt, &act, kNow), static_cast<__u32>(GATE_OK));
  }
  for (const __u32 form : {0u, 6u, ~0u}) EXPECT_EQ(gate_reaches(form, &receipt, &act), 0u);
}

TEST(Gate, FormsReachTheirDistances) {
  const receipt_slot receipt = Live();
  gate_act act = Act();
  for (__u32 distance = 0; distance <= MAX_WALK; ++distance) {
    act.distance = distance;
    EXPECT_EQ(gate_reaches(FORM_FILE, &receipt, &act), distance == 0 ? 1u : 0u);
    EXPECT_EQ(gate_reaches(FORM_DIR, &receipt, &act), distance == 1 ? 1u : 0u);
    EXPECT_EQ(gate_reaches(FORM_TREE, &receipt, &act), distance >= 1 ? 1u : 0u);
  }
}

TEST(Gate, ANameMatchesWholeOrNotAtAll) {
  receipt_slot receipt = Live();
  gate_act act = Act();
  act.distance = 1;
  const auto reaches = [&](const char* granted, const char* name) {
    std::memset(receipt.name, 0, sizeof(receipt.name));
    std::memset(act.name, 'z', sizeof(act.name));
    receipt.name_len = static_cast<__u32>(std::strlen(granted));
    act.name_len = static_cast<__u32>(std::strlen(name));
    std::memcpy(receipt.name, granted, receipt.name_len);
    std::memcpy(act.name, name, act.name_len);
    return gate_reaches(FORM_NAMED, &receipt, &act);
  };
  EXPECT_EQ(reaches("report", "report"), 1u);
  EXPECT_EQ(reaches("report", "report2"), 0u);
  EXPECT_EQ(reaches("report2", "report"), 0u);
  EXPECT_EQ(reaches("report", "Report"), 0u);
  EXPECT_EQ(reaches("", ""), 0u);
  EXPECT_EQ(reaches("1234567890123456789012345678901", "1234567890123456789012345678901"), 1u);
  act.distance = 2;
  EXPECT_EQ(reaches("report", "report"), 0u);
}

TEST(Gate, TheNearestReasonDoesNotDependOnOrder) {
  for (__u32 a = GATE_OK; a <= GATE_EXHAUSTED; ++a)
    for (__u32 b = GATE_OK; b <= GATE_EXHAUSTED; ++b)
      EXPECT_EQ(gate_nearer(a, b), gate_nearer(b, a));
}

}  // namespace
