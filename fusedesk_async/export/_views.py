"""The views of an export in a database: what people ask of it, in the words of both SQLite and Postgres."""

from collections.abc import Mapping

import attrs


@attrs.frozen(kw_only=True)
class Dialect:
    """What the two do not share.

    Attributes:
        position: The function that finds a text in another: 0 if it is not there.
        seconds: The seconds from one moment to another, `{since}` and `{until}`.
        case_tags: The tags of all cases, each a row with `case_id` and `tag_id`.
    """

    position: str
    seconds: str
    case_tags: str


def views(dialect: Dialect) -> Mapping[str, str]:
    """The queries of the views, by their names. They use tables only, so that each of them can be left out.

    - `timeline`: who said what when, for each item of the histories. `side` is `team` or `customer`.
    - `first_response`: when the team first answered each case, and after how many seconds.
    - `case_tags`: the tags of cases with their names.
    """
    names = ("item.sender", 'item."to"', "reps.email_address", "cases.opened_by")
    words = {key: _words(name) for key, name in zip(("sender", "to", "rep", "opener"), names, strict=True)}
    timeline = _TIMELINE.format(position=dialect.position, **words)
    seconds = dialect.seconds.format(since="answered.date_opened", until="answered.date_first_response")
    return {
        "timeline": timeline,
        "first_response": _FIRST_RESPONSE.format(timeline=timeline, seconds=seconds),
        "case_tags": _CASE_TAGS.format(case_tags=dialect.case_tags),
    }


def _words(column: str) -> str:
    """The words of a text, each between spaces: `ann@x.example` is not in `joann@x.example`."""
    found = f"lower({column})"
    for mark in '<>,;"':
        found = f"replace({found}, '{mark}', ' ')"
    found = f"trim({found})"
    for _ in range(2):  # up to four spaces in a row
        found = f"replace({found}, '  ', ' ')"
    return f"(' ' || {found} || ' ')"


_TIMELINE = """SELECT item.case_id, item.position,
  COALESCE(item.date_added, item.date_sent, item.date_received) AS happened_at, item.type,
  CASE
    WHEN item.rep_id IS NOT NULL THEN 'team'
    WHEN item.type IN ('note', 'call') THEN 'team'
    WHEN item.type <> 'email' THEN NULL
    WHEN EXISTS (
      SELECT 1 FROM reps WHERE trim(reps.email_address) <> ''
        AND {position}({sender}, {rep}) > 0
    ) THEN 'team'
    WHEN trim(cases.opened_by) <> '' AND {position}({to}, {opener}) > 0 THEN 'team'
    ELSE 'customer'
  END AS side,
  COALESCE(
    (SELECT NULLIF(trim(COALESCE(reps.first_name, '') || ' ' || COALESCE(reps.last_name, '')), '')
     FROM reps WHERE reps.user_id = item.rep_id),
    item.sender
  ) AS who,
  COALESCE(item.title, item.subject) AS title, COALESCE(item.note, item.body) AS text
FROM history AS item JOIN cases ON cases.id = item.case_id"""
"""Notes and calls are the team's own; an email is, if a rep sent it or if it goes to whoever opened the case."""

_FIRST_RESPONSE = """SELECT answered.case_id, answered.date_opened, answered.date_first_response,
  {seconds} AS seconds, answered.who
FROM (
  SELECT cases.id AS case_id, cases.date_opened,
    COALESCE(cases.date_first_response, first.happened_at) AS date_first_response, first.who
  FROM cases LEFT JOIN (
    SELECT answer.*, row_number() OVER (
      PARTITION BY answer.case_id ORDER BY answer.happened_at, answer.position
    ) AS number
    FROM (
{timeline}
    ) AS answer
    WHERE answer.side = 'team' AND answer.type = 'email' AND answer.happened_at IS NOT NULL
  ) AS first ON first.case_id = cases.id AND first.number = 1
) AS answered"""
"""FuseDesk's own date goes first; where it has none, the first email of the team counts."""

_CASE_TAGS = """SELECT tagged.case_id, tagged.tag_id, tag_names.name AS tag
FROM ({case_tags}) AS tagged LEFT JOIN tag_names ON tag_names.id = tagged.tag_id"""
