"""Addresses that lead to one door: building, unit, room; street with number; village group."""

from __future__ import annotations

import re
from collections.abc import Iterator

Found = tuple[int, int, str]

NUMBER = r"(?:\d{1,4}|[零〇一幺二两三四五六七八九十百]{1,5})"
LETTER = r"[A-Za-z甲乙丙丁东西南北]?"
NOT_IN_A_NAME = "我你他她是住在叫到们的于去来从这那跟与有就对给，。、；：！？ "
ESTATES = (
    "小区|花园|花苑|家园|新村|新苑|公寓|大厦|小筑|名苑|雅苑|社区|宿舍|大院|里|苑|园|城|府|庭|坊|区|湾|庄"
)
ROADS = "大道|路|街|巷|胡同|弄|大街"
PLACE = rf"(?:[^\W\d{NOT_IN_A_NAME}]{{1,6}}?(?:{ESTATES}))?"
ROAD = rf"[^\W\d{NOT_IN_A_NAME}]{{1,6}}?(?:{ROADS})"
BUILDING = rf"{NUMBER}{LETTER}(?:号楼|栋|幢|座|号院|号)|[A-Za-z](?:座|栋|幢)"
UNIT = rf"{NUMBER}(?:单元|门洞|门|梯)"
DOOR = "(?:室|号房|房|户)"
ROOM = rf"(?:{NUMBER}(?:层|楼))?(?:\d{{3,4}}|[零〇一幺二两三四五六七八九]{{3,4}}|{NUMBER}(?={DOOR})){DOOR}?"

DOORS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?:{ROAD}{NUMBER}[号弄][，,]?)?{PLACE}(?:{BUILDING})[，,]?{UNIT}[，,]?(?:{ROOM})?",
        rf"{PLACE}(?:{BUILDING})(?:{ROOM})",
        rf"{PLACE}{UNIT}(?:{ROOM})",
        rf"{ROAD}{NUMBER}[号弄](?:{NUMBER}(?:号|室|栋|幢))?",
        rf"[^\W\d{NOT_IN_A_NAME}]{{1,5}}?(?:村|屯){NUMBER}(?:组|队|社)(?:{NUMBER}号)?",
        rf"(?<=住在)[^\W\d{NOT_IN_A_NAME}]{{0,6}}?{NUMBER}(?:号楼|栋|幢|号)(?:{NUMBER}(?:层|楼))?",
    )
)


def find_addresses(text: str) -> Iterator[Found]:
    """Every stretch that names one door; a building alone is not private: topics are about buildings."""
    for pattern in DOORS:
        for match in pattern.finditer(text):
            yield match.start(), match.end(), "address"
