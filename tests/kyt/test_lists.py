"""Sanctions lists in the formats OFAC and its mirrors publish. Every row here is made up."""

from datetime import date
from pathlib import Path

import pytest

from tests.kyt.builders import LISTED, wallet
from tokenx_kyt.addresses import parse_address
from tokenx_kyt.backends import SYNTHETIC_LIST
from tokenx_kyt.lists import BadList, load_list, load_lists

SDN = f'''\
30001,"SYNTHETIC GROUP ONE","-0- ","CYBER2","-0- ","-0- ","-0- ","-0- ","-0- ","-0- ","-0- ","Digital Currency Address - XBT 1SyntheticXXXXXXXXXXXXXXXXXXXXXXXX; Digital Currency Address - ETH {LISTED}; alt. Digital Currency Address - ETH {wallet(2)}; Linked To: NOBODY."
30002,"DOE, Synthetic","individual","SDGT","-0- ","-0- ","-0- ","-0- ","-0- ","-0- ","-0- ","DOB 01 Jan 1970; nationality Nowhere; Digital Currency Address - USDT {wallet(3)}; Gender Male."
30003,"NO COINS LTD","-0- ","IRAN","-0- ","-0- ","-0- ","-0- ","-0- ","-0- ","-0- ","-0- "
30004,"CUT OFF BY THE COLUMN LIMIT","-0- ","DPRK3","-0- ","-0- ","-0- ","-0- ","-0- ","-0- ","-0- ","Digital Currency Address - ETH {wallet(4)[:30]}"
'''  # fmt: skip
COMMENTS = f'30004,"ETH {wallet(4)[30:]}; alt. Digital Currency Address - ARB {wallet(5)};"\n'


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_sdn_csv_gives_the_addresses_of_its_remarks(tmp_path: Path) -> None:
    found = load_list(written(tmp_path, "sdn_2026-11-20.csv", SDN))
    assert found.entries == {
        parse_address(LISTED): "SYNTHETIC GROUP ONE",
        parse_address(wallet(2)): "SYNTHETIC GROUP ONE",
        parse_address(wallet(3)): "DOE, Synthetic",
    }
    assert (found.kind, found.as_of, found.skipped) == ("current", date(2026, 11, 20), 1)


def test_sdn_comments_csv_gives_what_did_not_fit(tmp_path: Path) -> None:
    found = load_list(written(tmp_path, "sdn_comments.csv", COMMENTS))
    assert found.entries == {parse_address(wallet(5)): "SDN 30004"}


def test_address_name_csv_and_one_per_line_text(tmp_path: Path) -> None:
    named = load_list(written(tmp_path, "a.csv", f'address,name\n{LISTED},"SYNTHETIC, ONE"\n'))
    plain = load_list(written(tmp_path, "b.txt", f"{LISTED.upper().replace('0X', '0x')}\nTSyntheticTron\n"))
    assert list(named.entries.values()) == ["SYNTHETIC, ONE"]
    assert named.entries.keys() == plain.entries.keys()
    assert plain.skipped == 1


def test_former_list_is_told_by_its_header_and_current_entries_outweigh_it(tmp_path: Path) -> None:
    header = "address,former_label,first_listed,last_seen_listed,absent_from\n"
    rows = "".join(f"{a},SYNTHETIC MIXER,2022-08-08,2024-09-27,2025-03-22\n" for a in (LISTED, wallet(7)))
    former = written(tmp_path, "former.csv", header + rows)
    current = written(tmp_path, "current_2026-01-02.csv", f"address,name\n{LISTED},ONE\n")
    both = load_lists((former, current))
    assert set(both.current) == {parse_address(LISTED)}
    assert both.former == {parse_address(wallet(7)): "SYNTHETIC MIXER"}
    assert (both.as_of, both.age_days(date(2026, 1, 5))) == (date(2026, 1, 2), 3)
    with pytest.raises(BadList):
        load_lists((former,))


def test_zero_and_low_addresses_are_never_taken(tmp_path: Path) -> None:
    low = "".join(f"0x{number:040x}\n" for number in (0, 1, 9, 0x18FE, 2**63))
    found = load_list(written(tmp_path, "low.txt", low + wallet(1)))
    assert set(found.entries) == {parse_address(wallet(1))}


def test_version_follows_the_content(tmp_path: Path) -> None:
    one = written(tmp_path, "one.txt", wallet(1))
    two = written(tmp_path, "two.txt", wallet(2))
    assert load_lists((one, two)).version == load_lists((two, one)).version
    assert load_lists((one,)).version != load_lists((two,)).version


@pytest.mark.parametrize("text", ["", "address,name\n", "this is no list\n", "<html>gone</html>"])
def test_list_without_addresses_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadList):
        load_list(written(tmp_path, "empty.csv", text))


def test_shipped_list_says_that_it_is_synthetic() -> None:
    found = load_list(SYNTHETIC_LIST)
    assert parse_address(LISTED) in found.entries
    assert all("SYNTHETIC TEST ENTRY" in name for name in found.entries.values())
    assert "synthetic" in found.source
    assert found.as_of == date(2026, 11, 22)
