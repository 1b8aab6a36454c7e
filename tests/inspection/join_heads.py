#!/usr/bin/env python3
"""Joins the heads of two classifiers of `gatehouse inspect train` into one: `jailbreak` of the first, `injection` of the second.

    join_heads.py JAILBREAK.model INJECTION.model --name NAME --date DATE > joined.model

The line `data` becomes the digest of both of theirs: SHA-256 of the two, a line each, in this order.
"""
import argparse
import base64
import hashlib
import sys

LINE = 120  # characters of base64, as src/classify/model.cc writes it


def read(path):
    lines = open(path, encoding="ascii").read().split("\n")
    head = {key: rest for key, _, rest in (line.partition(" ") for line in lines[:8])}
    if head.get("gatehouse-classifier") != "1" or lines[-2:] != ["end", ""]:
        sys.exit(f"{path}: no classifier of version 1")
    return head, base64.b64decode("".join(lines[8:-2]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("jailbreak")
    parser.add_argument("injection")
    parser.add_argument("--name", required=True)
    parser.add_argument("--date", required=True)
    options = parser.parse_args()
    first, first_weights = read(options.jailbreak)
    second, second_weights = read(options.injection)
    if first["features"] != second["features"] or len(first_weights) != len(second_weights):
        sys.exit("the two are made for different features")
    data = hashlib.sha256(f"{first['data']}\n{second['data']}\n".encode()).hexdigest()
    scale = f"{first['scale'].split()[0]} {second['scale'].split()[1]}"
    # A byte for each head of each place of the table, by turns.
    weights = bytes((first_weights, second_weights)[at % 2][at] for at in range(len(first_weights)))
    encoded = base64.b64encode(weights).decode()
    print(f"gatehouse-classifier 1\nname {options.name}\ndate {options.date}\ndata {data}\nfeatures {first['features']}")
    print(f"jailbreak {first['jailbreak']}\ninjection {second['injection']}\nscale {scale}")
    for at in range(0, len(encoded), LINE):
        print(encoded[at:at + LINE])
    print("end")


main()
