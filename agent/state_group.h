// StateGroup: the group by which the gate knows Proofgate's own state.
//
// A mark on an inode lasts only while the inode is in memory; a group is in the
// inode itself, so the state stays refused to governed processes when no daemon
// runs. Whoever can give a file this group can write the file's directory.

#ifndef PROOFGATE_AGENT_STATE_GROUP_H_
#define PROOFGATE_AGENT_STATE_GROUP_H_

#include <sys/types.h>

#include <string>

#include "base/result.h"

namespace proofgate::agent {

// The system group "proofgate". kNotFound says how to make it.
Result<gid_t> FindStateGroup();

// Gives everything in `dir` and below the group, where it has another: files
// that were restored or copied. Links are not followed.
Status KeepStateGroup(const std::string& dir, gid_t group);

}  // namespace proofgate::agent

#endif  // PROOFGATE_AGENT_STATE_GROUP_H_
