"""What /metrics tells of events on their way to sockets."""

from app.http.metrics import rendered
from app.realtime import CloseCode, MemoryBroker, Presence, Realtime
from app.realtime.events import Envelope, Frame
from app.realtime.testing import RecordingReceiver
from services.chat.numbers import numbers
from tests.support.eventually import eventually

ADA, BOB = 1, 2


async def test_what_sockets_got_and_did_not_get_is_told() -> None:
    realtime = Realtime(MemoryBroker())
    presence = Presence(realtime)

    def lines() -> list[str]:
        return [line for line in rendered(numbers(realtime, presence)).splitlines() if line[0] != "#"]

    await realtime.start()
    try:
        quick, slow = RecordingReceiver(), RecordingReceiver()
        realtime.hub.connect(quick, ADA)
        realtime.hub.connect(slow, BOB)
        assert "starling_chat_events_delivered_total 0" in lines()
        realtime.publish([Envelope("", None, b"{}", to_users=(ADA, BOB))] * 3)
        await eventually(lambda: len(quick.frames) == len(slow.frames) == 3)
        slow.close(CloseCode.SLOW)
        slow.send_nowait(Frame(b"{}"))
        realtime.hub.disconnect(slow)
        found = lines()
    finally:
        await realtime.stop()
    assert "starling_chat_events_delivered_total 6" in found
    assert "starling_chat_frames_dropped_total 1" in found
    assert "starling_chat_sockets_slow_total 1" in found
