"""Will a ControlNet unit guide the picture?"""

from __future__ import annotations

from collections.abc import Iterator

from lib_extension.preflight.finding import Finding
from lib_extension.preflight.look import Look


def control_without_picture(look: Look) -> Iterator[Finding]:
    """A unit without a picture is left out by WebUIs, though the infotext names it."""
    for where, control in look.units:
        named = control.image
        if (named and look.others is not None and named not in look.others) or (not named and not look.takes):
            gives = f'"{named}" gives it none' if named else "the stage takes none that it could look at"
            yield look.error(f"{where}.image", f"This control has no picture: {gives}. Name a stage or an input that gives one.")


def control_without_effect(look: Look) -> Iterator[Finding]:
    """A unit that is asked to do nothing."""
    for where, control in look.units:
        if control.weight == 0:
            yield look.warning(f"{where}.weight", "This control has the weight 0, so it guides nothing. Leave it out, or give it a weight.")
        elif control.guidance_start == control.guidance_end:
            yield look.warning(
                f"{where}.guidance_end",
                f"This control begins and ends at {control.guidance_end:g} of the steps, so it guides nothing. Let it end later.",
            )


def control_mode_ignored(look: Look) -> Iterator[Finding]:
    """reForge compares the mode with something else than what is sent."""
    for where, control in look.units if look.inventory.has_controlnet else ():
        if control.control_mode != "Balanced" and not look.inventory.control_modes:
            yield look.error(
                f"{where}.control_mode",
                f'This backend takes no heed of the control mode "{control.control_mode}". Use Balanced with a higher or lower weight.',
            )


def too_many_units(look: Look) -> Iterator[Finding]:
    """Forge drops those beyond its number without a word."""
    most = look.inventory.units
    if look.inventory.has_controlnet and len(look.units) > most:
        where = look.units[most][0]
        yield look.error(
            where,
            f"The backend takes {most} ControlNet units and {len(look.units)} are in use; those beyond would be dropped. "
            "Raise their number in its settings, or use fewer.",
        )
