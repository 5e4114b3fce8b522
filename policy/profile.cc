#include "policy/profile.h"

namespace proofgate::policy {
namespace {

Object Path(Form form, std::string_view path) {
  Object object;
  object.form = form;
  object.path = path;
  return object;
}

Object Class(IoClass io_class) {
  Object object;
  object.form = Form::kClass;
  object.io_class = io_class;
  return object;
}

// Deputies: programs through which something ungoverned would act.
std::vector<std::string> Deputies() {
  return {"at",           "atd",           "atq",         "atrm",       "batch",
          "bpftool",      "busctl",        "chfn",        "chroot",     "chsh",
          "containerd",   "cron",          "crontab",     "ctr",        "dbus-daemon",
          "dbus-send",    "docker",        "doas",        "dockerd",    "fusermount",
          "fusermount3",  "gdbus",         "gpasswd",     "halt",       "homectl",
          "init",         "initctl",       "insmod",      "invoke-rc.d", "journalctl",
          "kexec",        "kmod",          "localectl",   "loginctl",   "lxc-start",
          "machinectl",   "modprobe",      "mount",       "networkctl", "newgrp",
          "nsenter",      "passwd",        "pkexec",      "pkttyagent", "podman",
          "portablectl",  "poweroff",   "proofgate",  "proofgated",      "reboot",      "resolvectl", "rmmod",
          "run-parts",    "runc",          "runlevel",    "runuser",    "service",
          "setpriv",      "sg",            "shutdown",    "start-stop-daemon", "su",
          "sudo",         "sudoedit",      "swapoff",     "swapon",     "sysctl",
          "systemctl",    "systemd-cryptenroll", "systemd-mount", "systemd-nspawn",
          "systemd-run",  "systemd-umount", "telinit",    "timedatectl", "umount",
          "unshare",      "update-rc.d",   "userdbctl",   "visudo"};
}

std::vector<Grant> Base() {
  Grant exec{Kind::kExec, {}, Deputies()};
  for (const char* dir : {"/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin",
                          "/usr/lib/git-core"})
    exec.objects.push_back(Path(Form::kDir, dir));
  Grant load{Kind::kLoad, {}, {}};
  for (const char* dir : {"/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libx32", "/usr/libexec",
                          "/usr/local/lib"})
    load.objects.push_back(Path(Form::kTree, dir));
  load.objects.push_back(Class(IoClass::kAnonymousExec));
  Grant write{Kind::kWrite, {}, {}};
  for (const IoClass io_class : {IoClass::kPipe, IoClass::kTty, IoClass::kDevNull, IoClass::kAnon})
    write.objects.push_back(Class(io_class));
  return {exec, load, write};
}

std::vector<Grant> Sockets(std::initializer_list<const char*> paths) {
  Grant connect{Kind::kConnect, {}, {}};
  for (const char* path : paths) connect.objects.push_back(Path(Form::kUnix, path));
  return {connect};
}

std::vector<Grant> ReadSystem() {
  Grant read{Kind::kRead, {}, {}};
  for (const char* dir : {"/usr", "/etc"}) read.objects.push_back(Path(Form::kTree, dir));
  return {read};
}

}  // namespace

std::vector<Grant> FindProfile(std::string_view name) {
  if (name == "base") return Base();
  if (name == "journal")
    return Sockets({"/run/systemd/journal/stdout", "/run/systemd/journal/socket",
                    "/run/systemd/journal/dev-log"});
  if (name == "notify") return Sockets({"/run/systemd/notify"});
  if (name == "read-system") return ReadSystem();
  return {};
}

std::vector<std::string_view> ProfileNames() { return {"base", "journal", "notify", "read-system"}; }

}  // namespace proofgate::policy
