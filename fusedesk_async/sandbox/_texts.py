"""Texts by number: the same seed and id always give the same mail, and nothing is kept in memory."""

import re
from collections.abc import Sequence
from typing import TypeVar

from ._phrases import CLOSINGS, FEEDBACK, FOOTERS, GREETINGS, PRODUCTS, SHORT_MAILS
from ._topics import TOPICS, Topic

T = TypeVar("T")
_MASK = (1 << 64) - 1
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "the weekend")
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_NUMBERS = len(_LETTERS) ** 4 * 10_000
_NUMBER = re.compile(f"[{_LETTERS}]{{4}}[0-9]{{4}}")


def mix(*numbers: int) -> int:
    """64 bits that look random but depend on nothing else (the finish of splitmix64)."""
    state = 0
    for number in numbers:
        state = (state ^ number) + 0x9E3779B97F4A7C15 & _MASK
        state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & _MASK
        state = (state ^ state >> 27) * 0x94D049BB133111EB & _MASK
        state ^= state >> 31
    return state


class Dice:
    """A row of choices drawn from one number."""

    def __init__(self, number: int) -> None:
        self._number = number

    def below(self, bound: int) -> int:
        """A number from zero up to but not including the bound."""
        self._number, drawn = divmod(self._number, bound)
        return drawn

    def choice(self, options: Sequence[T]) -> T:
        """One of the options."""
        self._number, drawn = divmod(self._number, len(options))
        return options[drawn]


def case_number(number: int) -> str:
    """Four letters and four digits (the plugin's sample is ABCD1234), different for each case."""
    scrambled = (number * 2_654_435_761 + 97_531) % _NUMBERS
    letters, digits = divmod(scrambled, 10_000)
    text = ""
    for _ in range(4):
        letters, letter = divmod(letters, len(_LETTERS))
        text += _LETTERS[letter]
    return f"{text}{digits:04}"


def case_of_number(text: str) -> int | None:
    """The id that has this number; None if it is no number of a case."""
    if not _NUMBER.fullmatch(text):
        return None
    letters = 0
    for letter in reversed(text[:4]):
        letters = letters * len(_LETTERS) + _LETTERS.index(letter)
    return (letters * 10_000 + int(text[4:]) - 97_531) * pow(2_654_435_761, -1, _NUMBERS) % _NUMBERS


class Letter:
    """What a case is about, in words: subject, first mail, follow-up, answer and note.

    Args:
        seed: the sandbox's.
        number: the case's id.
        name: who writes.
        company: for whom; may be empty.
        sender: the address it comes from.
    """

    def __init__(self, seed: int, number: int, name: str, company: str, sender: str) -> None:
        self.name = name
        self.sender = sender
        self._dice = mix(seed, number)
        self.topic: Topic = TOPICS[self._dice % len(TOPICS)]
        dice = Dice(self._dice >> 8)
        self._details = {
            "order": 48_000 + dice.below(40_000),
            "amount": f"{19 + dice.below(480)}.{dice.choice(('00', '90', '99'))}",
            "product": dice.choice(PRODUCTS),
            "day": dice.choice(_DAYS),
            "company": company or name,
            "digits": 10 + dice.below(90),
        }

    def fill(self, text: str) -> str:
        """Put this case's order, amount, product, day and company into a text."""
        return text.format_map(self._details)

    @property
    def subject(self) -> str:
        """The summary of the case."""
        subjects = self.topic.subjects
        return self.fill(subjects[(self._dice >> 4) % len(subjects)])

    @property
    def mail(self) -> str:
        """The first mail; one in nine is a single line, one in 97 is empty."""
        dice = Dice(mix(self._dice, 2))
        if not dice.below(97):
            return ""
        if not dice.below(9):
            return self.fill(dice.choice(SHORT_MAILS))
        body = f"{dice.choice(self.topic.openings)} {dice.choice(self.topic.details)}"
        if dice.below(3):
            body += f"\n\n{dice.choice(self.topic.questions)}"
        end = f"{dice.choice(CLOSINGS)}\n{self.name}{dice.choice(FOOTERS)}"
        return self.fill(f"{dice.choice(GREETINGS)}\n\n{body}\n\n{end}")

    @property
    def follow_up(self) -> str:
        """What the customer writes after the answer."""
        dice = Dice(mix(self._dice, 3))
        return self.fill(f"{dice.choice(SHORT_MAILS)}\n\n{self.name}")

    def answer(self, rep: str) -> str:
        """What the rep of that name answers."""
        first = self.name.partition(" ")[0]
        return self.fill(f"Hi {first},\n\n{self.topic.answer}\n\nBest regards\n{rep}\nCustomer Care")

    @property
    def note(self) -> str:
        """What the rep notes for colleagues."""
        return self.fill(self.topic.note)


def rating(seed: int, number: int) -> object:
    """One to five stars; a third of them as text, since C# gave up on one type for it."""
    dice = Dice(mix(seed, number, 4))
    stars = dice.choice((5, 5, 5, 4, 4, 3, 1))
    return str(stars) if not dice.below(3) else stars


def feedback(seed: int, number: int) -> str:
    """What was written beside the stars; may be empty."""
    return Dice(mix(seed, number, 5)).choice(FEEDBACK)
