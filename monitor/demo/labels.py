"""The words that stand around an article, in the language of its outlet."""

from __future__ import annotations

from collections.abc import Mapping

LABELS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "by": "By",
        "updated": "Updated",
        "most_read": "Most read",
        "reply": "Leave a Reply",
        "reply_note": "Your email address will not be published. Required fields are marked *",
        "comment": "Comment",
        "name": "Name",
        "email": "Email",
        "post": "Post Comment",
        "save": "Save my name and email in this browser for the next time I comment.",
        "share": "Share this article",
        "rights": "All rights reserved",
        "subscribe": "Subscribe to our newsletter",
    },
    "hi": {
        "by": "",
        "updated": "अपडेट",
        "most_read": "सबसे ज़्यादा पढ़ी गईं",
        "share": "शेयर करें",
        "rights": "सर्वाधिकार सुरक्षित",
        "subscribe": "हमारा न्यूज़लेटर पाएँ",
    },
    "ur": {
        "by": "",
        "updated": "تازہ کاری",
        "most_read": "سب سے زیادہ پڑھی گئیں",
        "reply": "تبصرہ کریں",
        "reply_note": "آپ کا ای میل ایڈریس شائع نہیں کیا جائے گا۔ ضروری خانوں پر * کا نشان ہے",
        "comment": "تبصرہ",
        "name": "نام",
        "email": "ای میل",
        "post": "تبصرہ بھیجیں",
        "save": "اگلی بار کے لیے میرا نام اور ای میل محفوظ رکھیں۔",
        "share": "شیئر کریں",
        "rights": "جملہ حقوق محفوظ ہیں",
        "subscribe": "نیوز لیٹر حاصل کریں",
    },
}
