import pytest

from services.chat.log import chat_of, topic_of


def test_a_chat_is_a_topic_and_a_topic_is_a_chat() -> None:
    assert topic_of(42) == "chat:42"
    assert chat_of("chat:42") == 42


@pytest.mark.parametrize("topic", ["", "42", "chats:42", "chat:", "chat:x"])
def test_the_topic_of_somebody_else_is_no_chat(topic: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        chat_of(topic)
