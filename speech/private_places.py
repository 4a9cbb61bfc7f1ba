"""Addresses that lead to one door: building, unit, room; street with number; village group with number."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from speech.private_digits import letter_shapes
from speech.private_homes import homes
from speech.private_sounds import sound_of, sounding_like
from speech.private_units import restored

Found = tuple[int, int, str]

NUMBER = "[0-9０-９零〇一幺二两三四五六七八九十百]{1,5}"
UNITS = {  # what a number counts, by how near it leads to a door
    **dict.fromkeys(("号楼", "栋", "幢", "座", "号院"), "building"),
    **dict.fromkeys(("单元", "门洞", "号门", "门", "梯"), "unit"),
    **dict.fromkeys(("层", "楼"), "floor"),
    **dict.fromkeys(("支弄", "弄"), "lane"),
    **dict.fromkeys(("组", "队", "社"), "group"),
    **dict.fromkeys(("号房", "号室", "室", "房"), "room"),
    **dict.fromkeys(("杠", "-", "－", "—"), "dash"),
    "号": "number",
    ".": "point",
}
_UNIT = "|".join(re.escape(unit) for unit in sorted(UNITS, key=len, reverse=True))
PART = re.compile(
    rf"(?P<number>{NUMBER})[A-Za-z甲乙丙丁东西南北]?(?P<unit>{_UNIT})"
    r"(?![线文令厅型长员]|机(?!械)|[-－—]?\d{6}|(?<=门)[口前卫禁铃窗]|(?<=楼)[上下道梯长顶里门])|"
    r"(?<![A-Za-z])(?P<letter>[A-Za-z])(?P<tower>座|栋|幢)"
)
BARE_ROOM = re.compile(
    "[，, ]?[0-9０-９零〇一幺二两三四五六七八九]{3,5}(?![0-9０-９十百千万零〇一幺二三四五六七八九])"
    "(?![0-9０-９余多套人个米元平年间层]|楼[^上下])"
)
ROOM_SIGN = re.compile("室|号房|房间?|号|户")
ESTATE = (
    "小区|花园|花苑|家园|新村|新苑|公寓|大厦|小筑|名苑|雅苑|佳苑|社区|宿舍|大院|家属院|公馆|壹号|"
    "[里苑园城府庭坊区湾庄院邸邨墅轩阁]"
)
ROAD = "大道|路|街|巷|胡同|弄|条|道|里"
VILLAGE = "村|屯|寨|庄|湾|冲|坪|组|队"
_PLACE = re.compile(rf"(?:{ESTATE}|{ROAD}|{VILLAGE})$")
_BUILDINGS = re.compile(rf"(?:{NUMBER}(?:号楼|栋|幢|座|单元|楼|层|区|期)[和跟与、，到至]?)+[^\d，]{{0,3}}$")
BETWEEN = re.compile(rf"[，, ]?(?:第|之|的)?(?:[^\W\d_，。]{{2,8}}?(?:{ESTATE}))?第?")
# Where a place name can't reach back over.
STOP = re.compile(
    r"[我你他她是住在叫到们的于去来从这那跟与有就对给，。、；：！？!?,;: 及把被让请找问修查帮]|"
    r"(?<![祥永中太颐泰安仁义])和(?![平谐睦顺兴美园苑瑞])|投诉|反映|举报|地址|寄|送|看看|一下|"
    r"(?<=[\d一二三四五六七八九十])月|今年|同志|家里|门牌|位于|反应|就是|反馈|材料|"
    r"[\d零一二三四五六七八九十][号弄栋幢座楼]"
)
HOME = re.compile(
    "(?:住[在着了]?|家[在住]|家里是?|地址是?|门牌号?|[寄送]到?)[：:，,]?$|我(?:这边|这里|家)?是$"
)
LIVED_AT = re.compile("住|址|门牌|寄|送")
# Before 5单元1102 stands a building, whatever was heard: 34程, 60，床.
MISHEARD_BUILDING = re.compile(rf"(?:{NUMBER})[，, ]?[^\W\d_年月日点的是在和个户元块人天]$")
LONGEST_NAME = 6  # of a street, whose 路 or 街 was misheard
PUBLIC = re.compile(
    "的?[^，。！？]{0,8}"
    "(?:医院|公司|大厦|学校|小学|中学|大学|银行|广场|商场|酒店|宾馆|超市|政府|中心|营业厅|"
    "幼儿园|市场|工地|项目|[局厂店馆])"
)


TRIED = 3  # a door may be followed by what counts something else: …5号，一楼没有灯


@dataclass(frozen=True)
class _Part:
    start: int
    end: int
    unit: str


def find_addresses(text: str) -> Iterator[Found]:
    """Every stretch that names one door. A building or a street alone stays: topics are about these."""
    plain = restored(text)
    for start, end in (*_doors(plain), *homes(text, plain, letter_shapes(plain), _place_by_sound())):
        yield start, end, "address"


def is_place(name: str) -> bool:
    """Whether it ends as the names of streets, estates and villages do."""
    return _PLACE.search(name) is not None


def is_building(text: str, start: int, end: int) -> bool:
    """Whether it is nothing but buildings and units (9号楼和10号楼中间): topics are about these."""
    return _BUILDINGS.match(text[start:end]) is not None


def _doors(plain: str) -> Iterator[tuple[int, int]]:
    chain: list[_Part] = []
    for part in (*_parts(plain), None):
        if part and (not chain or _belong_together(plain, chain[-1], part)):
            chain.append(part)
            continue
        doors = (_door(plain, chain[:size]) for size in range(len(chain), max(0, len(chain) - TRIED), -1))
        if found := next(filter(None, doors), None):
            yield found
        chain = [part] if part else []


def _parts(text: str) -> Iterator[_Part]:
    for match in PART.finditer(text):
        if match["unit"] in {"-", "－", "—"} and match["number"].startswith(("19", "20")):
            continue  # a date
        if not (match["unit"] == "号" and text[match.start() - 1 : match.start()] == "月"):
            yield _Part(match.start(), match.end(), UNITS[match["unit"] or match["tower"]])


def _belong_together(text: str, before: _Part, part: _Part) -> bool:
    """Whether nothing but the name of an estate stands between two parts: 解放路64号荷塘月色3栋."""
    if BETWEEN.fullmatch(text, before.end, part.start):
        return True
    name = text[before.end : part.start]
    is_street = before.unit == "number" and part.unit == "building"
    return is_street and 2 <= len(name) <= 6 and name.isalpha() and not STOP.search(name)


def _door(text: str, chain: list[_Part]) -> tuple[int, int] | None:
    """From the place's name up to the room, where the parts lead to a door at all."""
    start, end, units = chain[0].start, chain[-1].end, [part.unit for part in chain]
    room = BARE_ROOM.match(text, end) if units[-1] != "room" else None
    if room:
        sign = ROOM_SIGN.match(text, room.end())
        end, units = sign.end() if sign else room.end(), [*units, "room"]
    place = _place(text, start)
    home = HOME.search(text[max(0, place - 18) : place])
    is_door = _leads_to_a_door(units, text[place:start], home[0] if home else "", text[end : end + 16])
    if (
        is_door
        and units[0] == "unit"
        and (building := MISHEARD_BUILDING.search(text, max(0, start - 16), start))
    ):
        place = _place(text, building.start())
    return (place, end) if is_door else None


def _leads_to_a_door(units: list[str], place: str, home: str, after: str) -> bool:
    """`home`: the words before it that say that somebody lives there; `after`: what follows."""
    last, others = units[-1], set(units[:-1])
    if last == "room" and others & {"building", "unit", "lane", "number"}:
        return others != {"number"} or bool(place)
    if last == "room" and others:  # 五楼502, 3-2-501, 花园2.1030
        is_estate = _estate_by_sound().search(sound_of(place)) is not None
        is_dashed = "dash" in others and (is_estate or units.count("dash") > 1)
        return is_dashed or (is_estate if others == {"point"} else bool(home))
    if last == "number" and others & {"lane", "building", "unit"}:
        return True
    if last in {"number", "building"} and others == {"group"}:
        return bool(place)
    if last == "number":
        is_street = re.search(f"(?:{ROAD}|{VILLAGE})$", place) is not None
        is_lived_at = 1 < len(place) <= LONGEST_NAME and LIVED_AT.search(home) is not None
        return (is_street and (bool(home) or not PUBLIC.match(after))) or is_lived_at
    return "building" in units and ("住" in home if len(units) == 1 else bool(home))


def _place(text: str, start: int) -> int:
    """Where the name of the street, estate or village begins that stands before a number."""
    first = max(0, start - 16)
    for stop in STOP.finditer(text, first, start):
        first = stop.end()
    name = text[first:start].removesuffix("第")
    if not name.isalpha() or (len(name) > 6 and not is_place(name)) or first == start - 16:
        return start
    return first


@cache
def _place_by_sound() -> re.Pattern[str]:
    return sounding_like((*(word for word in ESTATE.split("|") if len(word) == 2), "大道", "胡同"))


@cache
def _estate_by_sound() -> re.Pattern[str]:
    return sounding_like((word for word in ESTATE.split("|") if len(word) == 2), after="$")
