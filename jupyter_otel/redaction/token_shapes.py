"""Shapes of tokens and keys that their makers document, by the prefix they begin with.

Each is written after the maker's own description; a prefix is what makes a token
findable at all, so what has none is left to the scrubbers for names and randomness.
"""

_AFTER = r"(?<![A-Za-z0-9])"
"""Nothing that goes on from a word before it."""

_PREFIXED = (
    # code hosts and package registries
    r"gh[pousr]_\w{20,255}|github_pat_\w{20,255}",
    r"gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat|ffct)-[\w-]{16,255}|GR1348941[\w-]{16,255}",
    r"ATBB\w{20,255}|ATATT3[\w=-]{20,255}|ATCTT3[\w=-]{20,255}",
    r"pypi-[\w-]{16,255}|npm_\w{20,255}|rubygems_[0-9a-f]{32,64}|cio\w{32}",
    r"dckr_(?:pat|oat)_[\w-]{20,255}|oy2[a-z0-9]{43}",
    # clouds
    r"(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}|ABSK[\w+/=]{40,255}",
    r"AIza[\w-]{30,255}|ya29\.[\w-]{16,2048}|GOCSPX-[\w-]{16,255}|1//0[\w-]{24,255}",
    r"do[or]_v1_[0-9a-f]{32,128}|dop_v1_[0-9a-f]{32,128}|HRKU-[\w-]{16,255}",
    r"pscale_(?:tkn|oauth|pw)_[\w.=-]{16,255}|fo1_[\w-]{20,255}|fm[12][ar]?_[\w+/=-]{20,1024}",
    r"hv[sbr]\.[\w-]{20,1024}|[a-zA-Z0-9]{14}\.atlasv1\.[\w=-]{40,255}|pul-[0-9a-f]{40}",
    r"dp\.(?:pt|st|ct|sa|scim|audit)\.[\w.-]{20,255}|AGE-SECRET-KEY-1[0-9A-Z]{40,80}",
    # models and data
    r"sk-(?:ant-[\w-]{4,255}|[\w-]{16,255})|hf_\w{20,255}|api_org_\w{20,255}",
    r"gsk_\w{20,255}|xai-\w{20,255}|pplx-\w{20,255}|r8_\w{20,255}|lsv2_\w{16,255}",
    r"dapi[0-9a-f]{32}(?:-\d)?|dkea[0-9a-f]{32}|nvapi-[\w-]{20,255}|tvly-[\w-]{16,255}",
    r"KGAT_[0-9a-f]{20,64}|wandb_v\d_\w{20,255}",
    # money, mail, talk
    r"(?:sk|rk|pk|whsec)_(?:live|test|prod)?_?[0-9A-Za-z]{16,255}",
    r"sq0(?:atp|csp|idp)-[\w-]{16,255}|EAAA[\w-]{50,255}|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}",
    r"SG\.[\w-]{16,64}\.[\w-]{16,128}|key-[0-9a-f]{32}|(?:SK|AC)[0-9a-f]{32}|xkeysib-[\w-]{40,255}",
    r"xox[abeoprs]-[\w-]{10,255}|xapp-\d-[\w-]{10,255}|[0-9a-f]{32}-us\d{1,2}",
    r"\d{8,10}:AA[\w-]{32,40}|[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,45}",
    # tools
    r"gl(?:sa|c)_[\w+/=]{20,400}|sntry[su]_[\w+/=]{20,400}|NRAK-[0-9A-Z]{20,40}",
    r"PMAK-[\w-]{20,80}|figd_[\w-]{20,80}|lin_(?:api|oauth)_\w{20,80}|ntn_\w{20,80}",
    r"CCIPAT_\w{20,80}|bkua_\w{20,80}|phc_\w{20,80}|phx_\w{20,80}|tfp_\w{20,80}",
)

_ADDRESSES = (
    r"hooks\.slack\.com/(?:services|workflows|triggers)/[\w/-]{20,255}",
    r"discord(?:app)?\.com/api/webhooks/\d{8,32}/[\w-]{20,255}",
    r"[\w-]{1,64}\.webhook\.office\.com/webhookb2/[\w@/-]{20,512}",
)
"""Addresses that let in whoever knows them."""

TOKENS = rf"{_AFTER}(?:{'|'.join(_PREFIXED)})|(?:{'|'.join(_ADDRESSES)})"
"""What finds any of them."""
