"""Real SIP calls by raw packets to a real line: hears, presses, speaks, is held, hangs up, is turned away."""

from __future__ import annotations

from pathlib import Path

from tests.exchange.sip_town import sip_town
from tests.exchange.town import clip, play, twiml

GATHER = '<Gather numDigits="1" timeout="10" finishOnKey="" action="BASE/calls/x/turns/1">{}</Gather>'


def test_a_call_is_answered_hears_presses_and_is_hung_up(tmp_path: Path) -> None:
    async def scene() -> None:
        async with sip_town(tmp_path) as t:
            t.web.sounds["long.wav"] = clip(20)
            t.web.pages["/calls"] = twiml(GATHER.format("<Play>BASE/media/long.wav</Play>"))
            t.web.pages["/calls/x/turns/1"] = twiml("<Say>好</Say>", "<Hangup/>")
            async with t.raw() as phone:
                await phone.call()
                await phone.until(lambda: len(phone.heard) > 16000)
                await phone.press("5")
                await phone.until(lambda: phone.is_over)
            (first,) = t.web.at("/calls")
            assert first.params["From"] == "+8613900000001"
            assert first.params["To"] == "+8657112345678"
            assert first.params["Handset"] == "sip"
            assert t.web.at("/calls/x/turns/1")[0].params["Digits"] == "5"

    play(scene)
