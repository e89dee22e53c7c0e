"""Orders, the limits they are admitted on, and the operator's plan."""

import dataclasses
import json

VERDICTS = ("accepted", "closed", "venue", "quantity", "tenant", "price")
ACCEPTED, CLOSED, VENUE, QUANTITY, TENANT, PRICE = range(6)
VENUES = ("XPAR", "XLON", "XETR", "XOFF")  # the last one trades in the dark
TENANTS = ("acme", "birch", "cobalt", "delta")  # the last one has no limit of its own


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a document says, as the auditor knows it."""

    open: bool = True
    max_qty: int = 1000
    tenants: tuple[int, int, int] = (600, 400, 800)
    dark_tradable: bool = True
    price: tuple[int, int] = (9500, 10500)

    def document(self) -> str:
        low, high = self.price
        classes = {"tradable": [], "lit": ["tradable"], "dark": ["tradable"] if self.dark_tradable else []}
        classes |= {"XPAR": ["lit"], "XLON": ["lit"], "XETR": ["lit"], "XOFF": ["dark"]}
        return json.dumps({
            "open": {"$value": self.open, "$doc": "no order is admitted while this is off"},
            "max_qty": {"$value": self.max_qty, "$min": 1, "$max": 5000, "$unit": "lots"},
            "price": {"$value": 10000, "$min": low, "$max": high, "$unit": "ticks"},
            "tenants": dict(zip(TENANTS, self.tenants)),
            "$classes": classes,
        })

    def decide_again(self, qty: int, detail: int) -> int:
        venue, tenant, price = detail >> 8 & 0xFF, detail >> 16 & 0xFF, detail >> 24
        if not self.open:
            return CLOSED
        if venue >= len(VENUES) or (venue == len(VENUES) - 1 and not self.dark_tradable):
            return VENUE
        if qty > self.max_qty:
            return QUANTITY
        if tenant < len(self.tenants) and qty > self.tenants[tenant]:
            return TENANT
        return ACCEPTED if self.price[0] <= price <= self.price[1] else PRICE


def index(names: tuple[str, ...], name: str) -> int:
    return names.index(name) if name in names else 255


@dataclasses.dataclass(frozen=True)
class Order:
    id: int
    tenant: str
    venue: str
    qty: int
    price: int

    @classmethod
    def parse(cls, line: bytes) -> "Order":
        """Reads `id tenant venue quantity price`; ValueError where it is something else."""
        number, tenant, venue, qty, price = line.decode().split(" ")
        if len(line) >= 80 or not (number + qty + price).isdecimal() or len(price) > 12 or len(qty) > 18:
            raise ValueError("an order is a line of at most 79 characters, its numbers are decimal")
        return cls(int(number), tenant, venue, int(qty), int(price))

    def detail(self, verdict: int) -> int:
        """What the auditor needs to decide again, beside the quantity, which is the observation's value."""
        return self.price << 24 | index(TENANTS, self.tenant) << 16 | index(VENUES, self.venue) << 8 | verdict


@dataclasses.dataclass(frozen=True)
class Step:
    by: str
    why: str
    limits: Limits | None
    breaks_range: bool = False
    back_to: int = 0


DAY = Limits()
CALM = dataclasses.replace(DAY, max_qty=400)
CREDIT = dataclasses.replace(CALM, tenants=(150, 400, 800))
LIT = dataclasses.replace(CREDIT, dark_tradable=False)
NARROW = dataclasses.replace(LIT, price=(9800, 10200))

PLAN = (
    Step("desk", "limits of the day", DAY),
    Step("risk", "volatility is up", CALM),
    Step("desk", "a large client asks", dataclasses.replace(DAY, max_qty=9000), breaks_range=True),
    Step("credit", "acme is near its line", CREDIT),
    Step("compliance", "XOFF is suspended", LIT),
    Step("risk", "the market is thin", NARROW),
    Step("exchange", "trading halt", dataclasses.replace(NARROW, open=False)),
    Step("desk", "the halt is over", None, back_to=5),
)
