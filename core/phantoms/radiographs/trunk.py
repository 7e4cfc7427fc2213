"""Chest, pelvis and lumbar spine as solids in the beam; y down the patient, millimetres."""

import numpy as np

from core.phantoms.radiographs.body import Anatomy, Body, soft
from core.phantoms.radiographs.shapes import Box, Ellipse, Outline, Part, Points, Tube, mirrored, moved

_SIDES = (-1, 1)


def chest(body: Body) -> Anatomy:
    """From behind, arms down: the heart's tip to the right of the film."""
    size, wide = body.share(0.05), body.share(0.05)
    scale = np.array([size * wide, size])
    breath = body.posed(0, 7)
    bones = [
        _vertebra(body, np.array([body.posed(0, 0.6), -165 + 26.5 * number]) * scale, 0.85 * size, 0.55)
        for number in range(16)
    ]
    for side in _SIDES:
        for number in range(10):
            bones += _rib(body, side, number, scale, breath)
        blade = [(48, -128), (70, -150), (104, -140), (116, -128), (112, -100), (98, -50), (84, -34), (74, -60)]
        out = body.posed(16, 5)
        bones.append(
            body.bone(Outline(np.array([(side * (x + out), y) for x, y in blade]) * scale, 3), cortex=1.2, density=0.9)
        )
        shoulder = np.array([side * 152, -128]) * scale
        bones.append(
            body.bone(
                Ellipse(shoulder, np.array([22, 22]) * size, half=22),
                Tube(
                    [shoulder, moved(shoulder, side * 12, 40), moved(shoulder, side * 26, 300)],
                    np.array([20, 12, 11]) * size,
                ),
                cortex=3,
            )
        )
        collar = [(8, -138), (44, -146), (84, -162), (134, -158)]
        lift = body.posed(0, 5)
        collar = [np.array([side * x, y - lift * x / 134]) * scale for x, y in collar]
        bones.append(body.bone(Tube(collar, np.array([9, 5.5, 5.5, 8]) * size), cortex=2.6))
    right = [
        (-12, -118),
        (-34, -146),
        (-72, -134),
        (-108, -70),
        (-122, 20),
        (-128, 92 + breath),
        (-84, 66 + breath),
        (-34, 76 + breath),
        (-24, 20),
        (-20, -60),
    ]
    left = [
        (14, -118),
        (36, -146),
        (72, -134),
        (108, -70),
        (122, 20),
        (128, 98 + breath),
        (96, 78 + breath),
        (66, 60),
        (44, 20),
        (30, -40),
    ]
    lungs = [Outline(np.array(points) * scale, 72) for points in (right, left)]
    heart = Ellipse(np.array([26, 34]) * scale, np.array([body.build(62, 5), 44]) * size, 42, half=44)
    arch = Ellipse(np.array([22, -66]) * scale, np.array([18, 20]) * size, half=16)
    shoulders = [
        Tube(np.array([(s * 40, -176), (s * 140, -132)]) * scale, np.array([40, 44]) * size, half=60) for s in _SIDES
    ]
    arms = [Tube(np.array([(s * 158, -125), (s * 196, 230)]) * scale, 46 * size * body.fat) for s in _SIDES]
    flesh = soft(
        Box(np.array([0, 100]) * scale, np.array([146 * body.fat**0.5, 260]) * scale, 70, half=95),
        Tube([(0, -260), (0, -120)], [54 * size * body.fat, 70], half=70),
        *shoulders,
        *arms,
        blend=10,
    )
    # what lies within the lungs' outline but is no lung
    inside = [soft(heart, density=-0.62), soft(arch, density=-0.55)]
    air = [soft(lung, density=0.72) for lung in lungs]
    air += [soft(Tube([(0, -190), (body.posed(0, 2), -64)], 8 * size), density=0.8), *inside]
    return Anatomy(345, (flesh,), tuple(bones), tuple(air), middle=(0, -22))


def _rib(body: Body, side: int, number: int, scale: np.ndarray, breath: float) -> list[Part]:
    """One rib's back and front half, seen through each other."""
    top = -146 + 24.5 * number + body.build(0, 1.2) + breath * number / 30
    reach = 66 + 62 * np.sin(min(1.0, (number + 1) / 7) * np.pi / 2)
    drop = 16 + 5.2 * number
    steps = np.linspace(0, np.pi / 2, 6)
    back = [(side * (16 + (reach - 16) * np.sin(a)), top - 8 * np.sin(2 * a) + drop * (1 - np.cos(a))) for a in steps]
    front = [
        (side * (reach - (reach - 44 - 3 * number) * (1 - np.cos(a))), top + drop + 34 * np.sin(a) + 1.5 * number)
        for a in np.linspace(0, np.pi / 2, 5)
    ]
    radii = body.build(5.2, 0.4)
    made = [body.bone(Tube(np.array(back) * scale, radii), cortex=2.0, density=1.3)]
    if number < 7:
        made.append(body.bone(Tube(np.array(front) * scale, radii * 1.05), cortex=1.3, density=0.9))
    return made


def _vertebra(body: Body, middle: np.ndarray, size: float, density: float = 1.0, tilt: float = 0.0) -> Part:
    """A lumbar vertebra from the front; body, pedicles, processes."""
    return body.bone(
        Box(middle, np.array([23, 14]) * size, 4, angle=tilt, half=16),
        Box(moved(middle, 0, -11.5 * size), np.array([25, 2.5]) * size, 2, angle=tilt, half=17),
        Box(moved(middle, 0, 11.5 * size), np.array([25, 2.5]) * size, 2, angle=tilt, half=17),
        Tube(
            [middle + np.array([-42, -6]) * size, middle, middle + np.array([42, -6]) * size],
            np.array([3, 5, 3]) * size,
        ),
        cortex=2.4,
        spongy=1.3,
        density=density,
        blend=2,
    )


def _column(body: Body, top: float, count: int, size: float, bend: float) -> list[Part]:
    """Vertebrae from the front downwards, with rings of pedicles and spinous processes over them."""
    made = []
    for number in range(count):
        share = number / max(count - 1, 1)
        grown = size * (0.82 + 0.22 * share)
        middle = np.array([bend * np.sin(np.pi * share), top + 36.0 * number]) * size
        tilt = 3.0 * np.cos(np.pi * share) * bend / 10
        made.append(_vertebra(body, middle, grown, 1.0, tilt))
        for side in _SIDES:
            ring = middle + np.array([side * 14.5, -5]) * grown
            made.append(body.bone(Ellipse(ring, np.array([4.5, 6.5]) * grown, half=9), cortex=1.8, density=1.2))
        made.append(
            body.bone(
                Tube([moved(middle, 0, 4 * grown), moved(middle, 0, 17 * grown)], np.array([2.6, 4]) * grown, half=14),
                cortex=2,
                density=0.9,
            )
        )
    return made


def _gas(body: Body, count: int, low: tuple[float, float], high: tuple[float, float]) -> list[Part]:
    """Bowel gas, another on every film."""
    spots = []
    for _ in range(count):
        centre = [(a + b) / 2 + body.posed(0, 0.3) * (b - a) for a, b in zip(low, high, strict=True)]
        axes = np.abs([body.posed(20, 7), body.posed(12, 4)]) + 4
        spots.append(soft(Ellipse(centre, axes, body.posed(0, 40), half=13), density=0.8))
    return spots


def _trunk(body: Body, size: float, waist: float, hips: float) -> Part:
    left = [(waist * 1.12, -330), (waist, -80), (hips * 0.97, 20), (hips, 110), (hips * 0.94, 340)]
    corners = [*(np.array(left) * [size, 1]), *(mirrored(left) * [size, 1])[::-1]]
    return soft(Outline(corners, 95 * body.fat))


def pelvis(body: Body) -> Anatomy:
    """From the front."""
    size, wide, tilt = body.share(0.05), body.share(0.05), body.posed(0, 5)
    scale = np.array([size * wide, size])
    bones = _column(body, -228, 5, size, body.build(0, 3))
    sacrum = [
        (-42, -62),
        (0, -70),
        (42, -62),
        (40, -36),
        (22, 0),
        (8, 34 + tilt),
        (-8, 34 + tilt),
        (-22, 0),
        (-40, -36),
    ]
    bones.append(body.bone(Outline(np.array(sacrum) * scale, 15), cortex=3, spongy=1.2))
    wing = [
        (40, -62),
        (62, -96),
        (98, -104),
        (132, -84),
        (140, -58),
        (124, -30),
        (112, 6),
        (84, 22),
        (66, 10),
        (58, -14),
        (46, -36),
    ]
    for side in _SIDES:
        bones.append(body.bone(Outline(_on_side(wing, side, scale), 7), cortex=2.2, spongy=1.0))
        crest = [(62, -96), (98, -104), (132, -84), (140, -58), (126, -30)]
        bones.append(body.bone(Tube(_on_side(crest, side, scale), 5 * size), cortex=3))
        brim = [(50, -30), (62, 0), (60, 26), (36, 46), (6, 54 + tilt)]
        bones.append(body.bone(Tube(_on_side(brim, side, scale), np.array([5, 6, 8, 7.5, 8]) * size), cortex=2.6))
        seat = [(8, 56 + tilt), (26, 80 + tilt), (46, 100 + tilt), (62, 90 + tilt), (72, 52), (78, 24)]
        bones.append(body.bone(Tube(_on_side(seat, side, scale), np.array([9, 7, 10, 12, 11, 12]) * size), cortex=2.6))
        socket = np.array([side * 92, 32]) * scale
        turn = body.posed(0, 4)
        rim = [socket + 29 * size * np.array([-side * np.cos(a), -np.sin(a)]) for a in np.linspace(-0.5, 2.4, 7)]
        bones.append(body.bone(Tube(rim, 3.5 * size), cortex=3))
        neck, hip = np.array([side * (118 + turn), 54]) * scale, np.array([side * (140 + turn), 72]) * scale
        bones.append(
            body.bone(
                Ellipse(socket, np.array([24, 24]) * size, half=24),
                Tube([socket, neck, hip], np.array([17, 15.5, 22]) * size),
                Tube(
                    [moved(hip, side * 6, -20 * size), hip, moved(hip, 0, 50 * size), moved(hip, -side * 18, 280)],
                    np.array([13, 21, 16, 14.5]) * size,
                ),
                Ellipse(hip + np.array([-side * 18, 36]) * size, np.array([8, 11]) * size),
                cortex=4.2,
                spongy=1.2,
                blend=4,
            )
        )
    flesh = [_trunk(body, size, 158 * body.fat**0.7, 192 * body.fat**0.5)]
    gas = _gas(body, 4, (-60, -60), (60, 30))
    return Anatomy(395, tuple(flesh), tuple(bones), tuple(gas))


def _on_side(points: Points, side: int, scale: np.ndarray) -> np.ndarray:
    """Points of the right side of the film, on `side` of it."""
    return np.array([(side * x, y) for x, y in points]) * scale


def spine(body: Body) -> Anatomy:
    """Lumbar spine from the front, or from the side with the belly to the left."""
    return _spine_lateral(body) if body.chance(0.5) else _spine_frontal(body)


def _spine_frontal(body: Body) -> Anatomy:
    size = body.share(0.05)
    bones = _column(body, -220, 10, size, body.build(0, 7))
    sacrum = [(-42, 112), (0, 106), (42, 112), (36, 146), (18, 190), (-18, 190), (-36, 146)]
    bones.append(body.bone(Outline(np.array(sacrum) * size, 15), cortex=3, spongy=1.2))
    wing = [(44, 120), (56, 92), (86, 78), (120, 92), (126, 130), (110, 190), (70, 190), (52, 150)]
    for side in _SIDES:
        bones.append(body.bone(Outline(np.array([(side * x, y) for x, y in wing]) * size, 7), cortex=2.2))
        for number in range(4):
            y = -192 + 36 * number
            rib = [(24, y), (62, y + 4 + 3 * number), (100, y + 30), (126 - 12 * number, y + 66 - 12 * number)]
            bones.append(body.bone(Tube(np.array([(side * a, b) for a, b in rib]) * size, 4.8 * size), cortex=1.5))
    flesh = [_trunk(body, size, 150 * body.fat**0.7, 178 * body.fat**0.5)]
    gas = _gas(body, 5, (-110, -90), (110, 120))
    return Anatomy(365, tuple(flesh), tuple(bones), tuple(gas))


def _spine_lateral(body: Body) -> Anatomy:
    size, hollow = body.share(0.05), body.build(26, 7)
    bones: list[Part] = []
    count = 9
    for number in range(count):
        share = number / (count - 1)
        y = (-221 + 37.5 * number) * size
        x = 26 - hollow * np.sin(np.pi * min(1.0, share * 1.02)) + 6 * share
        tilt = float(np.degrees(np.arctan(hollow * np.pi / 225 * np.cos(np.pi * share))))
        grown = size * (0.84 + 0.2 * share)
        middle = np.array([x, y])
        back = middle + np.array([34, 4]) * grown
        bones.append(
            body.bone(
                Box(middle, np.array([18.5, 14.2]) * grown, 3.5, angle=tilt, half=22),
                Box(moved(middle, 0, -12 * grown), np.array([20, 2.4]) * grown, 2, angle=tilt, half=23),
                Box(moved(middle, 0, 12 * grown), np.array([20, 2.4]) * grown, 2, angle=tilt, half=23),
                cortex=2.6,
                spongy=1.3,
                blend=2,
            )
        )
        bones.append(
            body.bone(Tube([middle + np.array([14, -6]) * grown, back], np.array([5, 6]) * grown, half=14), cortex=2)
        )
        bones.append(
            body.bone(
                Tube([moved(back, 0, -12 * grown), moved(back, 0, 14 * grown)], np.array([4.5, 5]) * grown), cortex=2
            )
        )
        bones.append(
            body.bone(
                Box(back + np.array([20, 10]) * grown, np.array([15, 8]) * grown, 5, angle=14, half=4), cortex=1.5
            )
        )
    sacrum = [(16, 112), (54, 122), (72, 150), (74, 196), (58, 196), (46, 160), (22, 138)]
    bones.append(body.bone(Outline(np.array(sacrum) * size, 26), cortex=3, spongy=1.2))
    for shift in (0, 7):
        crest = [(70 + shift, 100), (28, 82 + shift), (-16 - shift, 112), (-30, 150)]
        bones.append(body.bone(Tube(np.array(crest) * size, 4.5 * size), cortex=2, density=0.9))
    for number in range(3):
        rib = [(36, -158 + 34 * number), (50, -130 + 36 * number), (20, -84 + 34 * number), (-46, -60 + 30 * number)]
        bones.append(body.bone(Tube(np.array(rib) * size, 4.6 * size), cortex=1.4, density=0.9))
    belly = body.fat**1.2
    flesh = soft(
        Outline(
            [
                (100, -330),
                (88, -120),
                (78, -30),
                (96, 60),
                (124, 140),
                (122, 330),
                (-110 * belly, 330),
                (-128 * belly, 90),
                (-118 * belly, -20),
                (-104 * belly, -120),
                (-116, -330),
            ],
            125 * body.fat**0.5,
        )
    )
    return Anatomy(365, (flesh,), tuple(bones), tuple(_gas(body, 4, (-110, -60), (-20, 120))))
