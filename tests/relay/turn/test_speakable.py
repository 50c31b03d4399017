"""What of a text is spoken: the words, and nothing that is there for the eye."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay import locales
from relay.turn import speakable as module
from relay.turn.speakable import speakable

CODE_KO = locales.text("ko", "speakable.code")
CODE_EN = locales.text("en", "speakable.code")

KOREAN = [
    # As it is
    ("안녕, 나는 차차야.", "안녕, 나는 차차야."),
    ("흥, 딱히 널 위해서 한 건 아니야…", "흥, 딱히 널 위해서 한 건 아니야…"),
    ("원주율은 3.14야.", "원주율은 3.14야."),
    ("C++이랑 C#을 좋아해.", "C++이랑 C#을 좋아해."),
    ("1+1=2야.", "1+1=2야."),
    ("오늘은 -5°C, 습도는 50%래.", "오늘은 -5°C, 습도는 50%래."),
    ("010-1234-5678로 전화해.", "010-1234-5678로 전화해."),
    ('엄마가 "밥 먹자"라고 했어.', '엄마가 "밥 먹자"라고 했어.'),
    ("A/B 중에 골라.", "A/B 중에 골라."),
    ("ㄱ 다음은 ㄴ이야.", "ㄱ 다음은 ㄴ이야."),
    # Laughs and tears
    ("진짜 웃겨 ㅋㅋㅋ", "진짜 웃겨"),
    ("ㅋㅋㅋ 뭐야", "뭐야"),
    ("알았어ㅎㅎ", "알았어"),
    ("미안해ㅠㅠ", "미안해"),
    ("그래ㅋ", "그래"),
    ("ㅎㅎㅎ", ""),
    ("무서워 ㄷㄷ", "무서워"),
    ("안녕~", "안녕"),
    ("반가워~~!", "반가워!"),
    ("뭐?!", "뭐?!"),
    ("뭐?!?!?!", "뭐?!"),
    ("좋아!!!!", "좋아!"),
    ("음......", "음…"),
    # Emoji
    ("좋아! 😊", "좋아!"),
    ("😀", ""),
    ("사랑해 ❤️❤️", "사랑해"),
    ("가족이야 👨‍👩‍👧‍👦!", "가족이야!"),
    ("한국 🇰🇷 최고", "한국 최고"),
    ("손 👋🏽 흔들어", "손 흔들어"),
    ("1️⃣ 사과", "1 사과"),
    ("★별★ 이야", "별 이야"),
    ("정말‼", "정말!"),
    # Kaomoji
    ("흥 (￣^￣)", "흥"),
    ("아야 (>_<)!", "아야!"),
    ("안녕 ^^", "안녕"),
    ("안녕^^ 반가워", "안녕 반가워"),
    ("음;;", "음"),
    ("슬퍼 T_T", "슬퍼"),
    ("좋아 :)", "좋아"),
    ("메롱 :-P", "메롱"),
    (r"글쎄 ¯\_(ツ)_/¯", "글쎄"),
    ("기뻐 (´・ω・`)", "기뻐"),
    ("화났어 (╯°□°)╯︵ ┻━┻", "화났어"),
    ("졸려 -_-;;", "졸려"),
    ("(ㅠㅠ)", ""),
    ("헤헤 (o^^o) 좋다", "헤헤 좋다"),
    # Stage directions
    ("(한숨) 알았어.", "알았어."),
    ("*한숨을 쉬며* 알았어.", "알았어."),
    ("흥! *고개를 돌린다*", "흥!"),
    ("알았어. (팔짱을 끼며)", "알았어."),
    ("(작은 목소리로) 고마워.", "고마워."),
    ("*정말* 좋아해.", "정말 좋아해."),
    ("사과 (빨간 것) 좋아.", "사과, 빨간 것, 좋아."),
    ("서울(Seoul)은 커.", "서울 Seoul은 커."),
    ("2026년(올해)", "2026년 올해"),
    # Markdown
    ("**안녕**하세요", "안녕하세요"),
    ("# 제목\n내용이야.", "제목, 내용이야."),
    ("- 사과\n- 배\n- 귤", "사과, 배, 귤"),
    ("1. 사과\n2. 배", "1. 사과, 2. 배"),
    ("> 인용한 말", "인용한 말"),
    ("| 이름 | 나이 |\n|---|---|\n| 차차 | 3 |", "이름, 나이, 차차, 3"),
    ("[구글](https://google.com)에 물어봐", "구글에 물어봐"),
    ("https://example.com/a?b=c 여기야.", "링크 여기야."),
    ("여기 봐: https://example.com.", "여기 봐: 링크."),
    ("https://example.com에서 봐", "링크에서 봐"),
    ("`print` 함수야", "print 함수야"),
    ("`x = f(y)` 해 봐", "해 봐"),
    ("`API_KEY`에 넣어", "API KEY에 넣어"),
    ("그러니까,", "그러니까,"),
    ("사과 (빨간 것)", "사과, 빨간 것"),
    ("#진주 #C++", "진주 C++"),
    ("이거야.\n```python\nprint(1)\n```\n알겠지?", f"이거야. {CODE_KO} 알겠지?"),
    ("```\nprint(1)", CODE_KO),
    # Ranges
    ("3~5시에 와", "3에서 5시에 와"),
    ("3시~5시", "3시에서 5시"),
    # Nothing to say
    ("", ""),
    ("…", ""),
    ("---", ""),
    ("?!", ""),
]

ENGLISH = [
    ("I can't say it's \"fine\".", "I can't say it's \"fine\"."),
    ("It's 3.14, not 1,000.", "It's 3.14, not 1,000."),
    ("I like C++ and C#.", "I like C++ and C#."),
    ("2*3*4 = 24", "2*3*4 = 24"),
    ("2 * 3 = 6", "2 * 3 = 6"),
    ("It is 12:30 (noon).", "It is 12:30, noon."),
    ("Call 555-0123.", "Call 555-0123."),
    ("*sighs* Fine.", "Fine."),
    ("*looks away* It's not for you!", "It's not for you!"),
    ("Fine. (rolls eyes)", "Fine."),
    ("I *really* like it.", "I really like it."),
    ("*Really* good.", "Really good."),
    ("Apples (the red ones) are best.", "Apples, the red ones, are best."),
    ("[laughs softly] Okay.", "Okay."),
    ("**Bold**, __strong__, _soft_ and ~~gone~~.", "Bold, strong, soft and gone."),
    ("## Plan\n\n* one\n* two", "Plan, one, two"),
    ("1. First\n2. Second", "1. First, 2. Second"),
    ("See [the docs](https://docs.python.org/3/).", "See the docs."),
    ("See www.example.com/x_(y)!", "See link!"),
    ("<https://a.b/c>", "link"),
    ("![a cat](cat.png) Cute.", "a cat Cute."),
    ("Use `git push` now", "Use git push now"),
    ("Use `rm -rf *` now", "Use now"),
    ("Line<br>break", "Line break"),
    ("I <b>love</b> it", "I love it"),
    ("a < b and c > d", "a < b and c > d"),
    ("my_variable_name", "my variable name"),
    ("Hi! 👋 I'm ChaCha 😊.", "Hi! I'm ChaCha."),
    ("I love you <3", "I love you"),
    ("xD that's funny", "that's funny"),
    ("Yay :D", "Yay"),
    ("Hmm :/", "Hmm"),
    ("Oh :'(", "Oh"),
    ("#winning", "winning"),
    ("50% of A/B tests at 5°C", "50% of A/B tests at 5°C"),
    ("Sure:\n```\nx=1\n```", f"Sure: {CODE_EN}"),
    ("from 3~5 pm", "from 3 to 5 pm"),
    ("a@b.com", "a@b.com"),
    ("Wait.... what?", "Wait… what?"),
    ("\\*not bold\\*", "not bold"),
    ("* * *", ""),
    ("- [x] done", "done"),
    ("5 - 3 = 2", "5 - 3 = 2"),
    ("-5 degrees", "-5 degrees"),
    ("Yes , sure .", "Yes, sure."),
    ("abc\u200bdef\ufeff", "abcdef"),
    ("x" * 100, ""),
    ("→ Go", "Go"),
]


@pytest.mark.parametrize(("written", "spoken"), KOREAN)
def test_korean(written: str, spoken: str) -> None:
    assert speakable(written, "ko") == spoken


@pytest.mark.parametrize(("written", "spoken"), ENGLISH)
def test_english(written: str, spoken: str) -> None:
    assert speakable(written, "en") == spoken


@pytest.mark.parametrize("text", ["(한숨) 응.", "[웃음] 응.", "*sighs* 응.", "（한숨） 응."])
def test_a_korean_doll_speaks_no_direction_of_any_kind(text: str) -> None:
    assert speakable(text, "ko") == "응."


def test_each_block_of_code_is_announced_once() -> None:
    assert speakable("```\na\n\nb```", "en") == CODE_EN


def test_composed_and_decomposed_korean_are_spoken_alike() -> None:
    assert speakable("\u1112\u1161\u11ab", "ko") == "한"


@given(st.text(max_size=300), st.sampled_from(["ko", "en", "ja"]))
def test_it_takes_any_text_and_leaves_one_line_without_markup(text: str, language: str) -> None:
    spoken = speakable(text, language)
    assert spoken == spoken.strip()
    assert "\n" not in spoken
    assert not set(spoken) & set("`()[]_😀❤|~")
    assert not spoken or any(c.isalnum() for c in spoken)


@given(st.text(alphabet="*_`#()[]<>|~^:;-=.!?\\/ㅠㅋ¯ツ가a1 \n", max_size=400))
def test_it_takes_any_heap_of_marks(text: str) -> None:
    speakable(text, "ko")


@given(
    st.lists(st.sampled_from(["사과", "C++", "can't", "3.14", "50%", "진주야", "A/B"]), min_size=1)
)
def test_words_are_spoken_in_order_and_none_is_lost(words: list[str]) -> None:
    assert speakable(" ".join(words), "ko").split() == words


@given(st.from_regex(module._PLAIN, fullmatch=True), st.sampled_from(["ko", "en"]))
@settings(deadline=None)
def test_what_needs_no_cleaning_is_what_cleaning_leaves(text: str, language: str) -> None:
    assert module._cleaned(text, language) == text
