"""Documents as senders write them, by hand: good ones and everything that can be wrong."""

from __future__ import annotations

from tests.samples import s10

NAMESPACE = "urn:luxor:layout:upu.itmatt.1"


def item(item_id: str, *, country: str = "LU", description: str = "woollen socks, knitted") -> str:
    """One item element."""
    return f"""
  <item>
    <item-id>{item_id}</item-id>
    <mail-class>C</mail-class>
    <nature-type>11</nature-type>
    <gross-weight>0.750</gross-weight>
    <sender>
      <name>Atelier Exemple</name>
      <address-line>12 rue des Essais</address-line>
      <city>Lyon</city>
      <country>FR</country>
    </sender>
    <addressee>
      <name>Muster Beispiel</name>
      <address-line>3 um Beispill</address-line>
      <city>Luxembourg</city>
      <country>{country}</country>
    </addressee>
    <content-piece>
      <number>1</number>
      <pieces>2</pieces>
      <description>{description}</description>
      <hs>611594</hs>
      <net-weight>0.6</net-weight>
      <amount currency="EUR">24.50</amount>
    </content-piece>
  </item>"""


def itmatt(*items: str, control: str = "C1", declaration: str = "", root: str = "itmatt") -> bytes:
    """A whole ITMATT document."""
    encoding = '<?xml version="1.0" encoding="UTF-8"?>'
    return f"""{encoding}{declaration}
<{root} xmlns="{NAMESPACE}">
  <interchange>
    <from>FRA</from>
    <to>LUA</to>
    <control-ref>{control}</control-ref>
    <prepared>2026-11-21T12:00:00Z</prepared>
  </interchange>{"".join(items)}
</{root}>
""".encode()


def good(serial: int, *, control: str) -> bytes:
    """A document of one good item."""
    return itmatt(item(s10(serial)), control=control)


def order(order_id: str, *, country: str = "LU") -> bytes:
    """A platform's order in our JSON."""
    return f"""{{"type": "Order", "platform_id": "shop.example", "order_id": "{order_id}",
 "ordered_at": "2026-11-20T10:00:00+01:00",
 "seller": {{"name": "Atelier Exemple", "address": {{"country": "FR"}}}},
 "consignee": {{"name": "Muster Beispiel", "address": {{"country": "{country}"}}}},
 "lines": [{{"number": 1, "description": "woollen socks, knitted", "quantity": 2,
   "unit_price": {{"amount": "12.25", "currency": "EUR"}}}}]}}""".encode()
