"""The papers behind the shipped networks: the short keys that layer lists use."""

from __future__ import annotations

PAPERS = {
    "becker2021": "Becker et al. 2021, MNRAS 503, 1828, arXiv 2102.03780",
    "lukic2019": "Lukic et al. 2019, MNRAS 487, 1729, arXiv 1905.03274 (ConvNet-4, ConvNet-8)",
    "lukic2019code": "SimpleNet, in the code of Lukic et al. 2019 (RadioGalaxy_Conv_Caps)",
    "krizhevsky2012": "Krizhevsky et al. 2012, NIPS 25 (AlexNet)",
    "simonyan2014": "Simonyan & Zisserman 2014, arXiv 1409.1556 (VGG)",
    "ma2019": "Ma et al. 2019, ApJS 240, 34, arXiv 1812.07190 (MCRGNet)",
    "hosenie2018": "Hosenie 2018, MSc thesis, North-West University, hdl 10394/31250",
    "alger2018": "Alger et al. 2018, MNRAS, doi 10.1093/mnras/sty1308, arXiv 1805.05540 (ATLAS)",
    "tang2019": "Tang et al. 2019, MNRAS 488, 3358, arXiv 1903.11921 (FR-Deep)",
    "alhassan2018": (
        "Alhassan, Taylor & Vaccari 2018, MNRAS, doi 10.1093/mnras/sty2038, arXiv 1807.10380 "
        "(FIRST Classifier)"
    ),
    "lukic2018": "Lukic et al. 2018, MNRAS 476, 246 (Radio Galaxy Zoo)",
    "aniyan2017": "Aniyan & Thorat 2017, ApJS 230, 20, arXiv 1705.03413 (Toothless)",
    "maslej2021": "Maslej-Krešňáková et al. 2021, MNRAS 505, 1464",
    "gheller2018": "Gheller, Vazza & Bonafede 2018, MNRAS 480, 3749 (COSMODEEP)",
    "lukic2019source": "Lukic et al. 2019, arXiv 1910.03631 (ConvoSource)",
    "bowles2021": "Bowles et al. 2021, MNRAS 501, 4579, arXiv 2012.01248 (AG-CNN)",
    "scaife2021": "Scaife & Porter 2021, MNRAS 503, 2369, arXiv 2102.08252 (equivariant LeNet)",
    "cohen2016": "Cohen & Welling 2016, ICML, arXiv 1602.07576 (group convolutions)",
    "liu2022": "Liu et al. 2022, CVPR, arXiv 2201.03545 (ConvNeXt)",
    "radiance": "RADIAnCE, Rettelbach & Hurley-Walker 2019 (github.com/trettelbach/radiance)",
    "weston2024": "Weston et al. 2024, RASTI 3, 385, doi 10.1093/rasti/rzae027 (PSAT-D)",
    "duev2019": "Duev et al. 2019, MNRAS 489, 3582, arXiv 1907.11259 (braai)",
    "vafaei2019": "Vafaei Sadr et al. 2019, MNRAS 484, 2793 (DeepSource)",
}


def citation(paper: str) -> str:
    """The full reference of a key; any other text is a reference already and comes back as is."""
    return PAPERS.get(paper, paper)
