"""What SmartOS is told beside Linux, line by line: the rows of the step “Options” that mean something in GRUB's menu."""

from __future__ import annotations

from smartos_wizard.cli.plain_options import PlainOptions
from smartos_wizard.screens.dualboot_options import OPTIONS, option_of
from smartos_wizard.screens.options_list import Option
from smartos_wizard.screens.options_model import asks_speed, offers_of, take


class PlainTold(PlainOptions):
    """Only what means something in GRUB's menu, in its words."""

    HEADING = (
        "Step 4, told: what SmartOS is told here. All of it may stay as it is: it takes no pool but zones, a second entry is rescue, "
        "and the pool layout is asked."
    )

    def run(self) -> bool:
        """Ask until the user goes on; False for back."""
        self.voice.say(self.HEADING)
        while True:
            rows = [o for o in OPTIONS if o.name != "speed" or asks_speed(self.choices)]
            self._list(rows)
            answer = self.voice.ask("A number changes that, Enter goes on")
            if answer == "b":
                return False
            if answer == "" and self._may_go_on():
                return True
            if answer.isdecimal() and 1 <= int(answer) <= len(rows):
                self._guarded(lambda o=rows[int(answer) - 1]: self._change(o))  # type: ignore[misc]
                self.choices = self.choices.with_(delay=None, rescue=None, files={})  # a profile may say more
            elif answer:
                self.voice.say(f"Please answer with a number from 1 to {len(rows)}, Enter, b or q.")

    def _may_go_on(self) -> bool:
        from smartos_wizard.netboot.dualboot_judging import answers_stop

        stop = answers_stop(self.choices.answers)
        if stop is not None:
            self.voice.say(f"Not gone on. {stop.text} {stop.hint}")
            return False
        return super()._may_go_on()

    def _offered(self, option: Option) -> None:
        offers = offers_of(option_of(option.name), self.choices)
        for number, offer in enumerate(offers, 1):
            self.voice.say(f"{number}. {offer.words}" + (f": {offer.more}" if offer.more else ""))
        chosen = self.voice.choose(f"{option.title}?", len(offers))
        if chosen is not None:
            self.choices = take(option.name, offers[chosen].value, self.choices)
