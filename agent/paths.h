// Paths: where the installed product keeps its things.

#ifndef PROOFGATE_AGENT_PATHS_H_
#define PROOFGATE_AGENT_PATHS_H_

namespace proofgate::agent {

inline constexpr const char* kStateDir = "/var/lib/proofgate";
inline constexpr const char* kLedgerDir = "/var/lib/proofgate/ledger";
inline constexpr const char* kHostKey = "/var/lib/proofgate/host_key";
inline constexpr const char* kHostPublicKey = "/var/lib/proofgate/host_key.pub";
inline constexpr const char* kHostPublicPem = "/var/lib/proofgate/host_key.pem";
inline constexpr const char* kAllowedSigners = "/var/lib/proofgate/allowed_signers";
inline constexpr const char* kWitnessPolicy = "/etc/proofgate/witness-policy";
inline constexpr const char* kLedgerCheckFile = "/etc/proofgate/ledger-check";
inline constexpr const char* kRunDir = "/run/proofgate";
inline constexpr const char* kDropDir = "/var/lib/proofgate/drop";
inline constexpr const char* kBpfDir = "/run/proofgate/bpf";
inline constexpr const char* kControlSocket = "/run/proofgate/control.sock";
inline constexpr const char* kGovernedDir = "/run/proofgate/governed";
inline constexpr const char* kConfigDir = "/etc/proofgate";
inline constexpr const char* kUnitsFile = "/etc/proofgate/units";
inline constexpr const char* kSessionSocket = "/run/proofgate/session.sock";
inline constexpr const char* kApproveSocket = "/run/proofgate/approve.sock";
inline constexpr const char* kCgroupRoot = "/sys/fs/cgroup";
inline constexpr const char* kCgroupDir = "/sys/fs/cgroup/proofgate";

}  // namespace proofgate::agent

#endif  // PROOFGATE_AGENT_PATHS_H_
