"""Made-up traffic for demonstrations and tests: items, orders, indicators, the same for a seed.

Nothing here is about real people or firms. Times are arguments: the same seed and time give the
same messages, byte for byte.
"""

from gateway.demo.generator.documents import header, write
from gateway.demo.generator.indicators import Indicators, indicators
from gateway.demo.generator.items import item, items, stream
from gateway.demo.generator.orders import Orders, orders
from gateway.demo.generator.s10 import s10
from gateway.demo.generator.spoil import Defect, Spoiled, spoil

__all__ = [
    "Defect",
    "Indicators",
    "Orders",
    "Spoiled",
    "header",
    "indicators",
    "item",
    "items",
    "orders",
    "s10",
    "spoil",
    "stream",
    "write",
]
