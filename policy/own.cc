#include "policy/own.h"

#include <vector>

namespace proofgate::policy {

std::span<const Object> OwnObjects() {
  static const std::vector<Object> own = [] {
    std::vector<Object> objects;
    const auto add = [&objects](Form form, const char* path) {
      Object object;
      object.form = form;
      object.path = path;
      objects.push_back(std::move(object));
    };
    for (const char* dir : {"/var/lib/proofgate", "/run/proofgate", "/etc/proofgate",
                            "/sys/fs/cgroup/proofgate", "/etc/systemd/system/proofgate.service.d",
                            "/run/systemd/system/proofgate.service.d", "/run/systemd/generator"}) {
      add(Form::kTree, dir);
      add(Form::kFile, dir);
    }
    for (const char* file : {"/usr/bin/proofgate", "/usr/sbin/proofgated",
                             "/usr/lib/systemd/system/proofgate.service",
                             "/etc/systemd/system/proofgate.service",
                             "/usr/lib/systemd/system-generators/proofgate-generator"})
      add(Form::kFile, file);
    return objects;
  }();
  return own;
}

const Object* FindOwn(Kind kind, const Object& object) {
  if (kind != Kind::kWrite && kind != Kind::kConnect && kind != Kind::kSignal) return nullptr;
  if (object.form == Form::kNet || object.form == Form::kClass) return nullptr;
  // The one door that is for governed processes.
  if (kind == Kind::kConnect && object.form == Form::kUnix && object.path == kGovernedDoor) return nullptr;
  Object at = object;
  if (at.form == Form::kUnix) at.form = Form::kFile;  // a path is a path
  for (const Object& own : OwnObjects())
    if (Overlaps(at, own)) return &own;
  return nullptr;
}

}  // namespace proofgate::policy
