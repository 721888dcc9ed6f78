"""Descriptions: what is vague, short or empty of words, and what surely is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.regimes import QualitySettings
from gateway.regimes.quality.descriptions import Descriptions
from gateway.regimes.quality.text import whole, words
from gateway.regimes.quality.vocabulary import goods, vague

DESCRIPTIONS = Descriptions(QualitySettings(), vague(), goods())
GOOD = [
    tuple(line.split("\t"))
    for line in (Path(__file__).parent / "good_descriptions.tsv").read_text("utf-8").splitlines()
]
VAGUE = {
    "en": "gift|Gifts|a gift|GIFT!|gift 2x|goods|parts|spare parts|samples|free sample|items"
    "|miscellaneous|personal effects|household goods|see invoice|birthday gift|gift, gift"
    "|clothes|toys|tools|1 pc|various goods|Christmas presents|accessories|merchandise",
    "fr": "cadeau|Cadeaux d'anniversaire|échantillons|ECHANTILLON GRATUIT|marchandises diverses"
    "|pièces détachées|colis|effets personnels|vêtements|divers",
    "de": "Geschenk|ein Geschenk|Ersatzteile|Warenmuster|Muster ohne Wert|Diverses|Zubehör"
    "|persönliche Gegenstände|Kleidung|Geburtstagsgeschenk",
    "es": "regalo|un regalo de cumpleaños|muestras|mercancía|repuestos|varios|ropa"
    "|efectos personales",
    "it": "regalo|campioni gratuiti|merce varia|pezzi di ricambio|abbigliamento|effetti personali",
    "pt": "presente|amostras grátis|mercadoria|peças sobressalentes|roupa|bens pessoais",
    "nl": "cadeautje|een geschenk|monsters|onderdelen|diversen|persoonlijke spullen|kleding",
    "pl": "prezent urodzinowy|próbki|części zamienne|towar|rzeczy osobiste|odzież",
    "ru": "подарок|Подарки|образцы|запчасти|личные вещи|товары для личного пользования|одежда",
    "zh": "礼品|禮物|样品|商品|配件|个人物品|日用品",
    "ja": "ギフト|プレゼント|ﾌﾟﾚｾﾞﾝﾄ|サンプル|部品|雑貨|その他",
    "ar": "هدية|الهدايا|عينات|قطع غيار|بضائع|أغراض شخصية|ملابس",
    "tr": "hediye|HEDİYELİK EŞYA|numune|yedek parça|kişisel eşya|çeşitli ürünler|giysi",
}


@pytest.mark.parametrize("language", VAGUE)
def test_vague_descriptions_are_found_in_every_language(language: str) -> None:
    found = {text: DESCRIPTIONS.judge(text, None)[0] for text in VAGUE[language].split("|")}

    assert dict.fromkeys(found, "quality.description-vague") == found


@pytest.mark.parametrize(
    "text",
    [
        "gift box of chocolates",
        "gift wrapping paper",
        "sample book of wallpapers",
        "car parts: brake disc",
        "steel pipes",
        "garden tools",
        "leather belt",
        "toy car",
        "Geschenkpapier",
        "Ersatzteile für Nähmaschine",
        "muestrario de telas",
        "подарочная бумага",
        "礼品包装纸",
    ],
)
def test_a_vague_word_beside_one_that_says_something_is_no_finding(text: str) -> None:
    assert (None, False) == DESCRIPTIONS.judge(text, None)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("ab", "quality.description-short"),
        ("x.", "quality.description-short"),
        ("cap", None),
        ("茶", None),
        ("本", None),
        ("12345", "quality.description-digits"),
        ("12.50", "quality.description-digits"),
        ("???", "quality.description-digits"),
        ("١٢٣", "quality.description-digits"),
        ("A4", "quality.description-short"),
        ("A4 paper", None),
    ],
)
def test_short_descriptions_and_those_without_words(text: str, code: str | None) -> None:
    assert code == DESCRIPTIONS.judge(text, None)[0]


def test_there_are_two_hundred_good_descriptions_in_many_scripts() -> None:
    assert len(GOOD) >= 200
    assert len({hs[:2] for hs, _ in GOOD}) > 40


@pytest.mark.parametrize(("hs", "text"), GOOD, ids=[text for _, text in GOOD])
def test_good_descriptions_have_no_finding(hs: str, text: str) -> None:
    assert (None, False) == DESCRIPTIONS.judge(text, hs)


@pytest.mark.parametrize(
    ("text", "hs"),
    [
        ("T-shirts, cotton", "850440"),
        ("Cotton trousers", "640299"),
        ("Paperback", "950300"),
        ("Pantalon en laine", "850440"),
        ("Damenbluse", None),
        ("Regenschirm, schwarz", "640191"),
        ("Носки шерстяные", "850440"),
        ("zapatos de cuero", "847130"),
        ("single malt whisky", "330300"),
    ],
)
def test_goods_of_another_chapter_contradict_the_code(text: str, hs: str | None) -> None:
    assert (None, hs is not None) == DESCRIPTIONS.judge(text, hs)


@pytest.mark.parametrize(
    ("text", "hs"),
    [
        ("whisky glass", "701337"),  # the noun is the glass
        ("shampoo dispenser of steel", "732490"),
        ("rack for bicycles", "940320"),
        ("socks and toys", "950300"),  # which of them the code is for is not known
        ("trousers + belt", "420330"),
        ("électronique pour pantalon", "854370"),
    ],
)
def test_what_is_only_mentioned_contradicts_nothing(text: str, hs: str) -> None:
    assert not DESCRIPTIONS.judge(text, hs)[1]


def test_the_user_adds_and_takes_away() -> None:
    own = Descriptions(
        QualitySettings(vague=("Zeugs, allerhand",), accepted=("Machinery",), description_length=6),
        vague(),
        goods(),
    )
    assert "quality.description-vague" == own.judge("zeugs allerhand!", None)[0]
    assert None is own.judge("MACHINERY.  ", "820559")[0]
    assert "quality.description-short" == own.judge("belt", None)[0]


def test_vocabularies_hold_words_and_no_accepted_goods() -> None:
    packaged = vague()
    for listed in (packaged.generic, packaged.alone, packaged.fillers):
        assert all(word and [word] == words(word) for word in listed)
    assert not packaged.generic & packaged.fillers
    names = {*goods().last, *goods().first}
    assert not names & packaged.generic


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("T-Shirt's", "tshirt s"),
        ("ÉTÉ ça", "ete ca"),
        ("Straße", "strasse"),
        ("ＦＵＬＬ width", "full width"),
        ("IŞIK ışık", "isik isik"),
        ("Łódź", "lodz"),
        ("الهدايا", "هدايا"),
        ("a_b", "a b"),
        ("", ""),
    ],
)
def test_texts_are_compared_without_what_does_not_matter(text: str, expected: str) -> None:
    assert expected == whole(text)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60), st.sampled_from([None, "610910", "00", ""]))
def test_no_text_makes_the_judging_raise(text: str, hs: str | None) -> None:
    code, contradicts = DESCRIPTIONS.judge(text, hs)

    assert not (code and contradicts)
