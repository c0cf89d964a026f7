"""Shows texts made by random tokens to a schema's validator. Needs what make_fixtures.py needs.

    APUS_WRITE_WALKS=/tmp/walks.json swift test --filter WalkTests
    python check_walks.py /tmp/walks.json      # accepted: keeps them as walks.json
"""

import json
import sys

from jsonschema import Draft202012Validator as Validator

schemas = {case["name"]: json.loads(case["schema"]) for case in json.load(open("schemas.json", encoding="utf-8"))}
walks = json.load(open(sys.argv[1], encoding="utf-8"))
wrong = 0
for walk in walks:
    validator = Validator(schemas[walk["name"]], format_checker=Validator.FORMAT_CHECKER)
    try:
        valid = validator.is_valid(json.loads(walk["text"]))
        walk["text"].encode("utf-8")
    except ValueError as error:
        valid = False
        print(error)
    if not valid:
        wrong += 1
        print("refused:", walk)
print(len(walks), "texts,", wrong, "refused")
if wrong:
    sys.exit(1)
with open("walks.json", "w", encoding="utf-8") as file:
    file.write("[\n" + ",\n".join(json.dumps(walk, ensure_ascii=False) for walk in walks) + "\n]\n")
