"""`caseway intake` and `caseway links`: mails from files, and links for who has no mail."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

from tests.acceptance.command import PROCESSES, Caseway


def written(folder: Path, name: str, charset: str = "utf-8") -> str:
    """Return the path of a mail file in Chinese."""
    mail = EmailMessage()
    mail["From"], mail["To"] = "lin@example.com", "service@example.com"
    mail["Subject"], mail["Message-ID"] = "空调不制冷", f"<{name}@mail.example.com>"
    mail.set_content("三楼会议室的空调不制冷，请尽快来修。", charset=charset)
    path = folder / f"{name}.eml"
    path.write_bytes(mail.as_bytes())
    return str(path)


def test_mails_in_files_become_cases_once(caseway: Caseway, tmp_path: Path) -> None:
    files = [written(tmp_path, "a"), written(tmp_path, "b", "gb18030")]

    undeployed = caseway.run("intake", files[0], "--json")
    caseway.ok("deploy", str(PROCESSES))
    first = caseway.json("intake", *files)
    again = caseway.json("intake", *files)

    assert undeployed.status == 1
    assert undeployed.json[0]["outcome"] == "refused"
    assert [row["outcome"] for row in first] == ["new", "new"]
    assert [row["outcome"] for row in again] == ["duplicate", "duplicate"]
    cases = caseway.json("cases", "--process", "service_lifecycle")
    assert {case["business_key"] for case in cases} == {row["case_number"] for row in first}
    shown = caseway.json("cases", cases[0]["id"])
    assert shown["variables"]["text"] == "三楼会议室的空调不制冷，请尽快来修。"


def test_links_are_made_and_ended_by_the_command_line(caseway: Caseway, tmp_path: Path) -> None:
    caseway.ok("deploy", str(PROCESSES))
    (row,) = caseway.json("intake", written(tmp_path, "a"))

    made = caseway.json("links", "make", row["case_number"], "follow")
    caseway.ok("links", "revoke", row["case_number"], "--why", "forwarded", "--by", "lea")
    unknown = caseway.run("links", "make", "2026-999999", "follow")

    assert made["url"].startswith("http://127.0.0.1:8080/p/follow/")
    assert caseway.json("acts", "--limit", "1")[0]["why"] == "forwarded"
    assert unknown.status == 1
