"""The canonical model: one set of immutable values that every format maps to and from."""

from translators.canonical.controls import (
    AeoStatus,
    Attachment,
    Finding,
    InspectionResult,
)
from translators.canonical.declarations import (
    Amendment,
    Authorisation,
    Classification,
    DeclaredDocument,
    DutyTaxFee,
    GoodsDeclaration,
    GoodsItem,
    Location,
    Packaging,
    Procedure,
    Statement,
    SupplyChainActor,
    TransportMeans,
    ValuationAdjustment,
)
from translators.canonical.goods import (
    AttachedFile,
    ContentPiece,
    Document,
    Money,
    Pointer,
    ProductId,
    Screening,
    TaxReference,
)
from translators.canonical.interchange import (
    KINDS,
    Header,
    Interchange,
    Message,
    kind_of,
)
from translators.canonical.items import (
    Extra,
    ItemDeclaration,
)
from translators.canonical.notices import (
    DeliveryFailed,
    FailureReason,
)
from translators.canonical.orders import (
    Order,
    OrderLine,
    Parcel,
    Payment,
)
from translators.canonical.parties import (
    Address,
    Office,
    Reference,
    TradeParty,
)
from translators.canonical.provenance import (
    Provenance,
)
from translators.canonical.referrals import (
    Information,
    Question,
    Referral,
    ReferralAnswer,
    ReferralHop,
)
from translators.canonical.responses import (
    CustomsResponse,
    ResponseError,
    StatusEntry,
    TaxLine,
)
from translators.canonical.revenue import (
    ExchangeRate,
    RevenueAssessment,
)
from translators.canonical.risk import (
    ControlRecommendation,
    Feedback,
    RiskAssessment,
    RiskIndicator,
    RiskResult,
    RiskSubject,
    RouteSubject,
)
from translators.canonical.transport import (
    Despatch,
    Receptacle,
    TransportEvent,
    TransportLeg,
)

__all__ = [
    "KINDS",
    "Address",
    "AeoStatus",
    "Amendment",
    "AttachedFile",
    "Attachment",
    "Authorisation",
    "Classification",
    "ContentPiece",
    "ControlRecommendation",
    "CustomsResponse",
    "DeclaredDocument",
    "DeliveryFailed",
    "Despatch",
    "Document",
    "DutyTaxFee",
    "ExchangeRate",
    "Extra",
    "FailureReason",
    "Feedback",
    "Finding",
    "GoodsDeclaration",
    "GoodsItem",
    "Header",
    "Information",
    "InspectionResult",
    "Interchange",
    "ItemDeclaration",
    "Location",
    "Message",
    "Money",
    "Office",
    "Order",
    "OrderLine",
    "Packaging",
    "Parcel",
    "Payment",
    "Pointer",
    "Procedure",
    "ProductId",
    "Provenance",
    "Question",
    "Receptacle",
    "Reference",
    "Referral",
    "ReferralAnswer",
    "ReferralHop",
    "ResponseError",
    "RevenueAssessment",
    "RiskAssessment",
    "RiskIndicator",
    "RiskResult",
    "RiskSubject",
    "RouteSubject",
    "Screening",
    "Statement",
    "StatusEntry",
    "SupplyChainActor",
    "TaxLine",
    "TaxReference",
    "TradeParty",
    "TransportEvent",
    "TransportLeg",
    "TransportMeans",
    "ValuationAdjustment",
    "kind_of",
]
