#!/usr/bin/env python3
"""Makes the clients' methods from docs/format/control.json.

    generate.py            writes proofgate.py, methods.h and methods.c beside this script
    generate.py --check    writes nothing; fails when they are not as it would write them"""

import json
import keyword
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
DESCRIPTION = os.path.join(HERE, "..", "..", "docs", "format", "control.json")
WORDS = {"operators": "for uid 0", "governed": "for processes in a governed cgroup, about the session of that cgroup",
         "approvers": "for the people that canon names, by uid"}


def identifier(name):
    return name.replace(".", "_")


def argument(name):
    return name + "_" if keyword.iskeyword(name) else name


def about(parameter):
    return "|".join(parameter["choices"]) if "choices" in parameter else parameter["type"]


def python(doors):
    lines = [open(os.path.join(HERE, "client.py.in")).read().rstrip("\n")]
    for door, what in doors.items():
        lines += ["", "", "class %s(Door):" % door.capitalize(), '    """The door %s."""' % WORDS[door], "",
                  "    SOCKET = %s" % json.dumps(what["socket"])]
        for method, parameters in sorted(what["methods"].items()):
            needed = [p for p in parameters if p["needed"]]
            others = [p for p in parameters if not p["needed"]]
            given = ["self"] + [argument(p["name"]) for p in needed]
            if others:
                given += ["*"] + ["%s=None" % argument(p["name"]) for p in others]
            pairs = ", ".join("%s: %s" % (json.dumps(p["name"]), argument(p["name"])) for p in parameters)
            lines += ["", "    def %s(%s):" % (identifier(method), ", ".join(given))]
            if parameters:
                lines.append('        """%s."""' % ", ".join("%s: %s" % (argument(p["name"]), about(p)) for p in parameters))
            lines.append("        return self.ask(%s, {%s})" % (json.dumps(method), pairs))
    return "\n".join(lines) + "\n"


C_TYPES = {"text": "const char *", "json": "const char *", "number": "const uint64_t *", "flag": "bool "}


def header(doors):
    lines = ["/*", " * Methods: one function for each method of each door. Made by generate.py from", " * docs/format/control.json; see client.h.", " *",
             " * What is NULL (or false) is left out. A text may hold any bytes but NUL; json is", " * passed on as it is.", " */",
             "#ifndef PROOFGATE_METHODS_H", "#define PROOFGATE_METHODS_H", "", "#include <stdbool.h>", "#include <stdint.h>", "",
             "#include <proofgate/client.h>", "", "#ifdef __cplusplus", 'extern "C" {', "#endif"]
    for door, what in doors.items():
        lines += ["", "/* The door %s. */" % WORDS[door], "#define PROOFGATE_%s_SOCKET %s" % (door.upper(), json.dumps(what["socket"]))]
        for method, parameters in sorted(what["methods"].items()):
            name = "proofgate_%s_%s" % (door, identifier(method))
            if parameters:
                lines += ["", "struct %s {" % name]
                for parameter in parameters:
                    note = about(parameter) if parameter["type"] == "json" or "choices" in parameter else ""
                    needed = "needed" if parameter["needed"] else ""
                    comment = ", ".join(word for word in (note, needed) if word)
                    lines.append("\t%s%s;%s" % (C_TYPES[parameter["type"]], parameter["name"], " /* %s */" % comment if comment else ""))
                lines += ["};"]
            else:
                lines.append("")
            with_ = "const struct %s *with, " % name if parameters else ""
            lines.append("int %s(struct proofgate *gate, %sstruct proofgate_reply *reply);" % (name, with_))
    lines += ["", "#ifdef __cplusplus", "}", "#endif", "#endif"]
    return "\n".join(lines) + "\n"


def source(doors):
    lines = ["/* Made by generate.py from docs/format/control.json. */", "#include <proofgate/methods.h>", "", '#include "writer.h"']
    for door, what in doors.items():
        for method, parameters in sorted(what["methods"].items()):
            name = "proofgate_%s_%s" % (door, identifier(method))
            with_ = "const struct %s *with, " % name if parameters else ""
            lines += ["", "int %s(struct proofgate *gate, %sstruct proofgate_reply *reply)" % (name, with_), "{",
                      "\tstruct proofgate_writer writer = {0};", ""]
            for parameter in parameters:
                lines.append('\tproofgate_write_%s(&writer, "%s", with->%s);' % (parameter["type"], parameter["name"], parameter["name"]))
            lines += ['\treturn proofgate_finish(gate, "%s", &writer, reply);' % method, "}"]
    return "\n".join(lines) + "\n"


def main():
    with open(DESCRIPTION) as file:
        doors = json.load(file)["doors"]
    made = {"proofgate.py": python(doors), "methods.h": header(doors), "methods.c": source(doors)}
    for name, text in made.items():
        path = os.path.join(HERE, name)
        if sys.argv[1:] == ["--check"]:
            with open(path) as file:
                if file.read() != text:
                    sys.exit("%s is not what docs/format/control.json says: run agent/clients/generate.py" % name)
        elif sys.argv[1:]:
            sys.exit(__doc__)
        else:
            with open(path, "w") as file:
                file.write(text)


if __name__ == "__main__":
    main()
