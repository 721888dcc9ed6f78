"""A layout for each construct that generated code has a way of its own for, and one for all."""

from __future__ import annotations

from tests.translators.layout.layouts import HEAD, declaration

FORMS = declaration(
    """
"fiscal[role=FR5]/number" = "tax_references[scheme=IOSS].number"
"fiscal[role=FR7]/number" = "tax_references[scheme=VAT].number : text 10"
fiscal = "tax_references * : fiscal"
"contact[type=TE]/at" = "importer.telephone"
"contact[type=EM]/at" = "importer.email : text 20"
"mark[@kind=A]" = "ucr : line 9"
"mark[@kind=B]" = "trader_reference : text 5"
"mark[@kind=B]/@list" = "= L"
form = "trade_terms_place : match '[^/]+(/[^/]+)*' ab"
item = "items *3 : item"
""",
    """
[fiscal]
role = "scheme ! : text 5"
number = "number !"
[item]
number = "number ! : int 3"
"class[type=TSP]/id" = "classifications[type=TSP].code"
"class[type=GN]/id" = "classifications[type=GN].code"
class = "classifications *2 : class"
[class]
id = "code ! : text 10"
type = "type : text 3"
""",
)
ENTRIES = declaration(
    """
street = "importer.address.lines[1] : text 20"
more = "importer.address.lines[2]"
city = "importer.address.city"
eori = "importer.references[type=EORI].value"
vat = "importer.references[type=VAT] : reference"
other = "importer.references *2 : other"
first = "exporter.references[1].value"
first-type = "exporter.references[1].type : text 4"
top = "exporter.address.lines[1]"
line = "exporter.address.lines * : text 10"
route = "routing_countries *3 : country"
goods = "items * : goods"
""",
    """
[reference]
"." = "value !"
"@country" = "country : country"
[other]
"." = "value !"
"@type" = "type !"
[goods]
number = "number ! : int 3"
code = "classifications[1].code"
""",
)
CHOICES = declaration(
    """
"head/code" = "function ! : choice"
"head/kind" = "type_code ! : text 3, default T"
"@mode" = "freight_payment : text 2"
lrn = "lrn !"
party = "importer : party"
""",
    """
[party]
name = "name"
"role/code" = "person_type : choice"
"role/sub" = "contact_name : text 10"
[choice.d.function]
original = { "head/code" = "9" }
amendment = { "head/code" = "13", "head/kind" = "COR" }
cancellation = { "head/code" = "13", "head/kind" = "INV", "@mode" = "M" }
[choice.party.person_type]
natural = { "role/code" = "1", "role/sub" = "N" }
legal = { "role/code" = "2" }
""",
).replace('function = "function !"\ntype = "type_code !"\nlrn = "lrn !"\n', "")
COMPUTED = declaration(
    """
count = "= count items"
total = "= sum items[].gross_weight"
goods-count = "goods_item_count : int 5, else count items"
weight = "gross_weight : decimal 9.3, else sum items[].gross_weight"
"box/list" = "= EU & <co>"
"box/@agency" = "= 6"
"box/code" = "office.code"
"box/deep/mode" = "freight_payment : code mode, default A"
"box/deep/@of" = "containerised : text 1, default 0"
"amount" = "invoice_total.amount : decimal 16.2"
"amount/@currency" = "invoice_total.currency !"
"lines" = "importer.address.lines : text 40, join '; '"
declarant = "declarant : party"
item = "items * : item"
""",
    """
[item]
"@at" = "= position"
number = "number ! : int 3, else position"
weight = "gross_weight : mass kg"
statement = "description : text 20, else ^lrn"
[party]
name = "name : text 70, else join first_name last_name"
full = "= join first_name last_name"
given = "first_name : text 10"
family = "last_name : text 10"
[codes.mode]
A = "account"
C = "cash"
""",
)
AROUND = f"""{HEAD}
[document]
head = "header ! : head"
d = "messages *! : d"
[head]
from = "sender ! : text 35"
version = "model_version : text 6"
[d]
number = "= position"
function = "function !"
lrn = "header.control_reference !"
type = "type_code !"
own = "lrn !"
version = "header.model_version : text 6, default 3.6"
currency = "items[].invoice_amount.currency : currency"
item = "items *! : item"
body = ". : body"
country = "routing_countries * : route"
[item]
number = "number ! : int 3"
nature = "^transaction_nature : code nature"
amount = "invoice_amount.amount : decimal 16.2"
of = "header.message_id"
paper = "documents * : paper"
via = "^item_ids *2 : text 9"
[paper]
type = "type : text 4"
nature = "^^freight_payment : text 3"
from = "^^actors * : actor"
[actor]
id = "id ! : text 10"
role = "role : text 3"
[body]
ucr = "ucr"
"deep/mrn" = "mrn ! : text 18"
[route]
"." = ". ! : country"
"@list" = "= ISO"
[codes.nature]
11 = "sale"
21 = "return"
"""
REPORTED = FORMS.replace('unknown = "refuse"', 'unknown = "report"')
KINDS = """
layout = "x.test.1"
title = "Test"
carries = { declared = "GoodsDeclaration", answered = "CustomsResponse" }
root = "r"
[document]
m = "messages *! : by kind"
[choice.document.kind]
declared = { code = "9" }
answered = { code = "1" }
[declared]
code = "= 9"
function = "function !"
type = "type_code !"
lrn = "lrn !"
[answered]
code = "= 1"
decision = "decision !"
at = "decided_at ! : instant"
"""
ALONE = f"""{HEAD}
[document]
"@sent" = "header.sender"
"." = "messages ! : d"
[d]
"@version" = "= 2"
lrn = "header.control_reference !"
function = "function !"
type = "type_code !"
own = "lrn !"
"""
SAID = """
layout = "x.said.1"
title = "Requests"
carries = "Referral"
unknown = "report"
root = "r"
[document]
at = "messages[].issued_at ! : instant utc, also completed_at"
mrn = "messages[].lrn : text 18"
one = "messages *! : one"
[unsaid.one]
kind = "a question"
[unsaid.answer]
item_id = "the item of the referral"
[one]
ref = "reference ! : text 17"
by = "authority.code ! : text 8, also authority.name"
head = "mrn : digits 2..2, part 1..2"
tail = "mrn : text 4, part 3.."
for = "declarant : text 5, also answers[].item_id"
method = "screening_methods *2..3 : text 3"
answer = "answers * : answer"
seen = "answers[1].screenings[].outcome : text 3"
screening = "answers[1].screenings *2 : screening"
remark = "answers[1].texts * : text 5"
[screening]
how = "method ! : text 3"
at = "screened_at ! : instant utc"
seen = "outcome : text 3"
[answer]
at = "answered_at ! : instant seconds"
item = "item_id : text 13"
"""
ONE_FORM = declaration(
    """
"paid/day[@f=102]" = "invoice_issued_on | : date YYYYMMDD"
"paid/day[@f=304]" = "invoice_issued_at | : instant YYYYMMDDhhmmssZ"
"doc[kind=X]/number" = "invoice_number |! : text 9"
doc = "goods_location |! : place"
weight = "gross_weight : mass kg"
"weight/@unit" = "== KGM"
guarantee = "guarantees *3 : guarantee"
""",
    """
[place]
id = "id ! : text 9"
kind = "type : text 3"
[guarantee]
"in/of[@f=X]" = "id |! : text 9"
"in/of" = "reference |! : text 9"
""",
    header='unknown = "report"\n',
).replace('unknown = "refuse"\n', "")
LAYOUTS = {
    "one form": ONE_FORM,
    "said": SAID,
    "forms": FORMS,
    "entries": ENTRIES,
    "choices": CHOICES,
    "computed": COMPUTED,
    "around": AROUND,
    "reported": REPORTED,
    "kinds": KINDS,
    "alone": ALONE,
}
