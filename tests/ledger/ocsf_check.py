"""Checks OCSF events, one a line on standard input, against schema 1.3.0:
ocsf_check.py SCHEMA. The schema file holds, of github.com/ocsf/ocsf-schema at
its release 1.3.0 (Apache-2.0), the names, types, enumerations, requirements and
constraints of the classes and objects that are used here.
"""

import json
import sys


def main(schema):
    def check(value, spec, profiles, where):
        unknown = set(value) - set(spec["attributes"])
        if unknown:
            raise ValueError("%s: unknown %s" % (where, sorted(unknown)))
        for name, attribute in spec["attributes"].items():
            active = "profile" not in attribute or attribute["profile"] in profiles
            if name not in value:
                if active and attribute["req"] == "required":
                    raise ValueError("%s: %s is required" % (where, name))
                continue
            if not active:
                raise ValueError("%s: %s needs profile %s" % (where, name, attribute["profile"]))
            items = value[name] if attribute.get("array") else [value[name]]
            if not isinstance(items, list):
                raise ValueError("%s: %s must be an array" % (where, name))
            for item in items:
                one(item, attribute, profiles, where + "." + name)
        constraints = spec.get("constraints") or {}
        for kind, names in constraints.items():
            present = sum(1 for name in names if name in value)
            if kind == "at_least_one" and present < 1 or kind == "just_one" and present != 1:
                raise ValueError("%s: %s of %s" % (where, kind, names))

    def one(item, attribute, profiles, where):
        if "object" in attribute:
            if not isinstance(item, dict):
                raise ValueError(where + ": object expected")
            if attribute["object"] in schema["objects"]:
                spec = schema["objects"][attribute["object"]]
                if spec["attributes"]:
                    check(item, spec, profiles, where)
            return
        kind = attribute["type"]
        if kind in ("integer_t", "long_t", "timestamp_t"):
            good = isinstance(item, int) and not isinstance(item, bool)
        elif kind == "boolean_t":
            good = isinstance(item, bool)
        else:
            good = isinstance(item, str)
        if not good:
            raise ValueError("%s: %s expected" % (where, kind))
        if "enum" in attribute and str(item) not in attribute["enum"]:
            raise ValueError("%s: %s is none of the values" % (where, item))

    count = 0
    for line in sys.stdin:
        event = json.loads(line)
        spec = schema["classes"].get(str(event["class_uid"]))
        if spec is None:
            raise ValueError("class %s" % event["class_uid"])
        check(event, spec, event["metadata"].get("profiles", []), "line %d" % (count + 1))
        if event["type_uid"] != event["class_uid"] * 100 + event["activity_id"] or event["category_uid"] != spec["category_uid"]:
            raise ValueError("line %d: type or category" % (count + 1))
        if event["metadata"]["version"] != schema["version"]:
            raise ValueError("line %d: version" % (count + 1))
        count += 1
    print(count, "events")


with open(sys.argv[1], encoding="utf-8") as file:
    main(json.load(file))
