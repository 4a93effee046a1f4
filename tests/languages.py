"""News in ten languages, all of it invented: an article, and how others print it.

Each article is written once, with marks for what changes in it: ``[old|new]`` is edited and ``{...}``
left out by the next desk; ``<one|other>`` is a name or word that is spelt in two ways.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

_EDIT: Final = re.compile(r"\[([^|\]]*)\|([^\]]*)\]")
_CUT: Final = re.compile(r"\{([^}]*)\}")
_SPELLING: Final = re.compile(r"<([^|>]*)\|([^>]*)>")


@dataclass(frozen=True, kw_only=True)
class Language:
    """An article with its marks, another about the same kind of event, and what is special about both."""

    name: str
    marked: str
    unrelated: str
    has_spaces: bool = True
    retype: Callable[[str], str] = str
    upper: Callable[[str], str] = str.upper
    retyped_relation: str = "exact"

    @property
    def shingles(self) -> tuple[str, str]:
        """What is compared: words, and runs of as many characters as make about two words."""
        return ("word:5", "char:9" if self.has_spaces or self.name == "thai" else "char:5")

    @property
    def article(self) -> str:
        """The article as it first appeared: the headline, an empty line and one paragraph."""
        return self._flow(_SPELLING.sub(r"\1", _CUT.sub(r"\1", _EDIT.sub(r"\1", self.marked))))

    @property
    def rewrite(self) -> str:
        """The article from another desk: a few words changed, a sentence left out."""
        return self._flow(_SPELLING.sub(r"\1", _CUT.sub("", _EDIT.sub(r"\2", self.marked))))

    @property
    def respelt(self) -> str:
        """The article with other spellings of a few names and words."""
        return self._flow(_SPELLING.sub(r"\2", _CUT.sub(r"\1", _EDIT.sub(r"\1", self.marked))))

    @property
    def retyped(self) -> str:
        """The same words typed again: only characters that say nothing differ."""
        headline, _, body = self.article.partition("\n\n")
        return self.retype(retype(self.upper(headline) + "\n\n" + body))

    @property
    def excerpt(self) -> str:
        """The headline and the beginning, a third of the article."""
        third = self.article[: len(self.article) // 3]
        return third.rpartition(" ")[0] if self.has_spaces else third

    @property
    def other_article(self) -> str:
        """An article about something else of the kind."""
        return self._flow(self.unrelated)

    def _flow(self, text: str) -> str:
        headline, _, body = text.strip().partition("\n\n")
        return headline + "\n\n" + (" " if self.has_spaces else "").join(body.split("\n"))


# --- Typing an article again -------------------------------------------------


def every(n: int, text: str, change: Callable[[str], str], wanted: Callable[[str], bool]) -> str:
    """Change every n-th of the characters that are wanted."""
    counter = itertools.count(1)
    return "".join(change(c) if wanted(c) and next(counter) % n == 0 else c for c in text)


def retype(text: str) -> str:
    """Other quotation marks, dashes, spaces and digits, invisible characters, decomposed letters."""
    text = text.replace("...", "…").replace(" - ", " \u2014 ").replace("-", "\u2010")
    text = every(2, text.replace('"', "“"), lambda _: "”", lambda char: char == "“").replace("'", "’")
    text = every(3, text, lambda _: "\u00a0 ", lambda char: char == " ")
    text = every(11, text, lambda char: char + "\u200b", str.isalpha)
    text = every(17, text, lambda char: "\u00ad" + char, str.isalpha)
    text = re.sub("[0-9]", lambda digit: chr(ord(digit[0]) + 0xFEE0), text)
    return "\ufeff" + unicodedata.normalize("NFD", text)


def _reversed(code_points: Iterable[int]) -> dict[str, str]:
    """Of characters that normalise to a single other one: that one to the first of them."""
    found: dict[str, str] = {}
    for char in map(chr, code_points):
        plain = unicodedata.normalize("NFKC", char)
        if len(plain) == 1 and plain != char:
            found.setdefault(plain, char)
    return found


_PRESENTATION_FORMS: Final = _reversed([*range(0xFE80, 0xFEFD), *range(0xFB50, 0xFBB2)])
_HALFWIDTH_KANA: Final = _reversed(range(0xFF66, 0xFF9E))
_COMPATIBILITY_HAN: Final = _reversed(range(0xF900, 0xFADA))


def retype_arabic(text: str) -> str:
    """Vowel marks, tatweel, and letters as an old system encodes their shapes."""
    text = every(4, text, lambda char: char + "\u064e", str.isalpha)
    text = every(3, text, lambda char: char + "\u0651\u0650", lambda char: char in "بتسشمن")
    text = every(2, text, lambda char: char + "\u0640\u0640", lambda char: char in "سشعلم")
    forms = _PRESENTATION_FORMS
    return every(2, text, lambda char: forms[char], lambda char: char in forms).replace(
        "\u0644\u0627", "\ufefb"
    )


def retype_japanese(text: str) -> str:
    """Kana of half the width; their voicing marks are characters of their own."""
    text = re.sub("([ァ-ヶ])\u3099", "\\1\uff9e", text)
    text = re.sub("([ァ-ヶ])\u309a", "\\1\uff9f", text)
    return "".join(_HALFWIDTH_KANA.get(char, char) for char in text).replace("\u30fc", "\uff70")


def retype_chinese(text: str) -> str:
    """ASCII punctuation, compatibility ideographs and variation selectors."""
    text = text.replace("，", ",").replace("。", ".").replace("“", '"').replace("”", '"')
    text = every(9, text, lambda char: char + "\U000e0100", lambda char: "一" <= char <= "鿿")
    return "".join(_COMPATIBILITY_HAN.get(char, char) for char in text)


def retype_thai(text: str) -> str:
    """SARA AM in two parts where no tone mark stands between, and zero-width spaces between words."""
    return re.sub("(?<![\u0e48-\u0e4b])\u0e33", "\u0e4d\u0e32", text).replace("ที่", "\u200bที่")


def retype_hindi(text: str) -> str:
    """Joiners after viramas; full stops for dandas."""
    return every(3, text, lambda char: char + "\u200d", lambda char: char == "\u094d").replace("।", ".")


def retype_german(text: str) -> str:
    """Ligatures."""
    return text.replace("ffi", "ﬃ").replace("fi", "ﬁ").replace("fl", "ﬂ").replace("ff", "ﬀ")


def upper_turkish(text: str) -> str:
    """Upper case as in Turkish: İ has its dot, I has none."""
    return text.replace("i", "İ").replace("ı", "I").upper()


# --- The articles ------------------------------------------------------------

ARABIC: Final = Language(
    name="arabic",
    retype=retype_arabic,
    marked="""افتتاح جسر وادي السنديان بعد ثلاث سنوات من الإغلاق

أعلنت بلدية مرسى الزيتون صباح الأحد افتتاح جسر وادي السنديان أمام السيارات والحافلات بعد إغلاق دام ثلاث
سنوات بسبب السيول التي جرفت دعامتين من دعاماته. وقال رئيس البلدية نادر الخطاب إن "الجسر عاد أقوى مما
كان"، [مشيرا|لافتا] إلى أن كلفة [الترميم|الإصلاح] بلغت 48 مليون دينار، دفعت الحكومة ثلثيها وتكفل أهالي
المدينة بالباقي عبر صندوق للتبرعات. وتسلم المقاول الموقع في ربيع العام الماضي، ثم توقفت الأعمال شهرين
في انتظار وصول الكابلات الفولاذية من مصانع <غرانبورغ|جرانبورج>. {وحضر الافتتاح مئات من سكان القرى
المجاورة مع أطفالهم. }وروت أم سليم، وهي بائعة خضار في السوق القديم، أنها كانت تقطع 22 كيلومترا كل يوم
للوصول إلى دكانها، وأضافت: "اليوم أصل في عشر دقائق". وحذر مهندسون من أن حمولة الشاحنات يجب ألا تتجاوز
30 طنا حتى انتهاء فترة الاختبار في شهر [أيلول|سبتمبر] المقبل. ووعدت الوزارة بتركيب أجهزة لقياس منسوب
المياه تحت الجسر، وبإرسال تنبيهات إلى هواتف السكان إذا ارتفع المنسوب فوق أربعة أمتار. ويربط الجسر بين
ضفتي الوادي منذ عام 1931، وقد بناه عمال المناجم بالحجر الأبيض قبل أن توسعه البلدية مرتين. أما نقابة
سائقي الحافلات فطالبت بإعادة المحطة التي نقلت إلى أطراف المدينة عند الإغلاق...""",
    unrelated="""إغلاق نفق الميناء أسبوعين لإصلاح الإنارة

تبدأ مديرية الطرق في رأس العقيق مساء الخميس أعمال صيانة في نفق الميناء تستمر أسبوعين، وتحول خلالها حركة
السير إلى الطريق الساحلي. وقالت المديرة هالة المرزوق إن المصابيح القديمة تستهلك ضعف ما تستهلكه الجديدة
وإن الرطوبة أتلفت نصف الأسلاك. وسيعمل الفنيون ليلا فقط كي لا تتعطل شاحنات البضائع، بينما يسمح لسيارات
الإسعاف بالمرور في كل الأوقات. وطلب أصحاب المطاعم القريبة تعويضا عن الزبائن الذين سيفقدونهم في الموسم.""",
)

URDU: Final = Language(
    name="urdu",
    retype=retype_arabic,
    marked="""نیلم گڑھ میں آٹے کی قیمت پر تاجروں کی ہڑتال ختم

نیلم گڑھ کے تاجروں نے ضلعی انتظامیہ سے مذاکرات کے بعد جمعے کی شام اپنی پانچ روزہ ہڑتال ختم کرنے کا
اعلان کر دیا۔ انجمن تاجران کے صدر فیروز بخت نے کہا کہ "ہمارے تین مطالبات مان لیے گئے ہیں" اور ہفتے کی
صبح سے شہر کی تمام دکانیں [معمول|دستور] کے مطابق کھل جائیں گی۔ معاہدے کے تحت بیس کلو آٹے کا تھیلا 1850
روپے میں فروخت ہو گا اور ملوں کو گندم کا کوٹہ ہر پیر کو [دیا|فراہم کیا] جائے گا۔ {ڈپٹی کمشنر نے ملاقات
کے بعد صحافیوں سے بات نہیں کی۔ }ہڑتال کے دوران شہر کے بڑے بازار سنسان رہے اور غریب بستیوں میں روٹی کے
<لیے|لئے> لمبی قطاریں لگی رہیں۔ ایک مزدور رحمت علی نے بتایا کہ اسے دو دن تک تندور سے خالی ہاتھ لوٹنا
پڑا اور بچوں کو چاول ابال کر کھلانے پڑے۔ محکمہ خوراک کے مطابق گوداموں میں 12 ہزار ٹن گندم موجود ہے جو
نئی فصل آنے تک کافی ہو گی، تاہم ترسیل کا نظام کمزور ہے۔ ماہرین کا کہنا ہے کہ جب تک سرحدی چوکیوں پر
سمگلنگ نہیں رکتی اس وقت تک قیمتیں بار بار بڑھتی رہیں گی۔ تاجروں نے خبردار کیا ہے کہ اگر ایک مہینے میں
وعدے پورے نہ ہوئے تو وہ [دوبارہ|پھر سے] سڑکوں پر آئیں گے۔""",
    unrelated="""چینی مہنگی ہونے پر صارفین کا احتجاج

سرسبز پور میں چینی کے نرخ ایک ہفتے میں تیسری بار بڑھنے پر گھریلو خواتین نے پریس کلب کے سامنے مظاہرہ کیا
اور نعرے لگائے۔ مظاہرے کی قیادت کرنے والی استانی نسرین کوثر نے الزام لگایا کہ کارخانہ دار ذخیرہ چھپا
رہے ہیں۔ شوگر ملز ایسوسی ایشن نے الزام مسترد کرتے ہوئے کہا کہ گنے کی قلت کے سبب پیداوار چالیس فیصد گر
چکی ہے۔ صوبائی وزیر نے اتوار کو اجلاس طلب کر لیا ہے جس میں درآمد کی اجازت پر غور ہو گا۔""",
)

CHINESE: Final = Language(
    name="chinese",
    has_spaces=False,
    retype=retype_chinese,
    marked="""青石镇百年渡口停航改建步行桥

青石镇政府周二宣布，运行了一百一十二年的柳湾渡口将于10月31日停航，原址改建一座长260米的步行桥。
镇长沈若山说：“渡船陪伴了五代人，但孩子们上学不能再看天气的脸色。”
工程预算为3800万元，其中六成来自省里的乡村交通基金，其余由镇里和沿江三个村[分担|共同承担]。
{老艄公们将获得新的工作岗位。}
七十三岁的船工老秦从十五岁起在江上撑船，他告诉记者，最难忘的是那年大水，
一夜之间把两百多名村民送到了对岸的<塔尔马|塔尔玛>高地。
设计院介绍，新桥采用钢木结构，桥面宽四米，两侧设有座椅和挡风玻璃，
桥墩避开了中华鲟洄游的[深水|主要]航道。环保志愿者则担心施工期间泥沙会影响下游的芦苇湿地，
要求每天公布水质数据。交通部门答应在两岸设立监测点，并承诺汛期停工。
在桥建成之前，镇里安排了四班免费巴士绕行上游的公路大桥，单程约需三十五分钟。
最后一班渡船将由老秦掌舵，[船票|门票]收入全部捐给镇小学的图书馆。""",
    unrelated="""云岭县开通首条山区索道公交

云岭县首条纳入公交系统的索道上周六投入使用，从县城到白鹭坪只要九分钟，票价两元，可以刷学生卡。
过去村民下山要走三个小时石阶，雨季常常中断。运营公司经理杜明霞表示，车厢装有取暖设备，
风力超过八级时自动停运。首日共有一千四百人次乘坐，不少人专程带着老人来看风景。
附近茶农希望增加货运车厢，以便在清明前把鲜叶及时送到加工厂。""",
)

JAPANESE: Final = Language(
    name="japanese",
    has_spaces=False,
    retype=retype_japanese,
    marked="""霧浜町の灯台、無人化から40年ぶりに見学再開

霧浜町は5日、沖合の岬に立つ白帆灯台の内部を、無人化以来40年ぶりに一般公開すると発表した。
公開は来月15日からで、毎週土曜と日曜に<コンピューター|コンピュータ>で予約した先着80人が、
らせん階段で高さ31メートルの展望デッキまで上がることができる。
町長の潮田まどか氏は「灯台守の暮らしを子どもたちに[伝えたい|知ってほしい]」と話した。
{雨の日は中止となる。}
灯台は1912年に石とレンガで建てられ、フランス製のレンズは今も当時のまま使われている。
最後の灯台守だった九十一歳の磯部源三さんは、嵐の夜にランプが消え、
朝まで手でハンドルを回し続けた思い出を[語った|振り返った]。
修復には町の基金とクラウドファンディングで集まった6700万円が充てられ、
さびた手すりやガラスの一部が交換された。地元の漁協は観光客の増加を歓迎する一方、
港の駐車場が足りなくなるとして、シャトルバスの運行を町に求めている。
町は来年春までに資料館を[併設|設置]し、航海日誌や古い写真を展示する計画だ。""",
    unrelated="""風見峠の旧駅舎がカフェに生まれ変わる

廃線から12年が過ぎた風見峠駅の木造駅舎が、地元の高校生と大工の手でカフェとして再出発した。
切符売り場はカウンターになり、待合室の長いすには羊毛のクッションが並ぶ。
店長の栗原ひかりさんは、冬でも温かいスープを出せるように薪ストーブを入れたという。
初日は開店前から行列ができ、用意したパン120個は昼前に売り切れた。
県は線路跡をサイクリングコースとして整備する考えを示している。""",
)

THAI: Final = Language(
    name="thai",
    has_spaces=False,
    retype=retype_thai,
    marked="""น้ำท่วมตลาดเก่าบ้านท่าไผ่ ชาวบ้านขนของหนีขึ้นวัด

ฝนที่ตกหนักติดต่อกันสามวันทำให้น้ำในคลองลำพูเอ่อล้นเข้าท่วมตลาดเก่าบ้านท่าไผ่เมื่อเช้ามืดวันพุธ
ระดับน้ำสูงถึง 120 เซนติเมตร พ่อค้าแม่ค้ากว่า 85 รายต้องขนสินค้าหนีขึ้นไปบนศาลาวัด
นายกเทศมนตรีสมหมาย ทองธารา [กล่าว|ระบุ]ว่า "น้ำมาเร็วกว่าทุกปี เราเตรียมกระสอบทรายไม่ทัน"
{ไฟฟ้าถูกตัดทั้งตำบลตั้งแต่เที่ยงคืน }
ป้าจำเนียร แม่ค้าขนมวัย 67 ปี เล่าว่าเตาอบและแป้งทั้งหมดจมน้ำ แต่ยังโชคดีที่ช่วยหลานออกมาได้
หน่วยกู้ภัยใช้เรือท้องแบนสิบสองลำนำผู้ป่วยติดเตียงไปยังโรงพยาบาล<อเล็กซานเดอร์|อเล็กซันเดอร์>อนุสรณ์
ซึ่งอยู่ห่างออกไปสี่กิโลเมตร กรมชลประทานเปิดประตูระบายน้ำทั้งห้าบานและติดตั้งเครื่องสูบน้ำเพิ่มอีกหกเครื่อง
คาดว่าระดับน้ำจะลดลงภายในวันเสาร์หากไม่มีฝน[เพิ่ม|ซ้ำ] โรงเรียนสามแห่งประกาศหยุดเรียนจนถึงสิ้นสัปดาห์
ขณะที่ชมรมร้านอาหารเปิดครัวกลางแจกข้าวกล่องวันละหกร้อยชุด และขอรับบริจาคน้ำดื่มกับผ้าห่ม""",
    unrelated="""เขื่อนดอยแก้วเตรียมพร่องน้ำรับพายุลูกใหม่

เจ้าหน้าที่เขื่อนดอยแก้วแจ้งเตือนหมู่บ้านริมฝั่งให้ยกของขึ้นที่สูง หลังจากจะเริ่มปล่อยน้ำวันละสิบล้านลูกบาศก์เมตรในคืนนี้
หัวหน้าฝ่ายวิศวกรรม อรุณี แสงเพชร ยืนยันว่าตัวเขื่อนแข็งแรงและผ่านการตรวจสอบเมื่อเดือนก่อน
เกษตรกรเร่งเก็บข้าวโพดก่อนกำหนดเพราะกลัวแปลงเสียหาย ส่วนแพท่องเที่ยวทุกหลังต้องย้ายไปผูกกับฝั่งตะวันตก""",
)

RUSSIAN: Final = Language(
    name="russian",
    marked="""В Верхнеозёрске после ремонта открыли паром через Тёплую

В Верхнеозёрске в понедельник возобновил работу единственный паром через реку Тёплую, который полтора
года простоял на ремонте. Как сообщил начальник пристани Егор Лапшин, судно получило новый двигатель,
стальную обшивку и спасательные плоты на 96 человек. "Теперь мы ходим и в туман, и при сильном ветре",
- [заявил|сказал] он на [церемонии|открытии] у причала. Ремонт обошёлся областному бюджету в 54
миллиона рублей, хотя поначалу речь шла о вдвое меньшей сумме; прокуратура проверяет смету. {На берегу
играл оркестр местной школы. }Жителям правого берега всё это время приходилось ехать в больницу через
соседний район, и дорога занимала почти три часа. Фельдшер Зоя Маркина рассказала, что прошлой зимой
дважды переводила рожениц по льду пешком. Билет для взрослых стоит 35 рублей, школьники и пенсионеры
переправляются бесплатно. Первым рейсом на другую сторону отправились почтовая машина, два трактора и
свадебный кортеж, который <ещё|еще> накануне занял очередь. В администрации пообещали, что с октября
паром станет ходить до полуночи, а к следующему лету у переправы построят [тёплый|крытый] зал ожидания.
Мост, о котором говорят с советских времён, в планах на ближайшие десять лет по-прежнему не значится...""",
    unrelated="""Посёлок Синий Бор остался без автобуса

Перевозчик отказался от маршрута до Синего Бора, и с четверга сто сорок семей добираются до города на
попутках. Директор автобазы Павел Грищук объяснил решение убытками: за рейс набирается не больше шести
пассажиров, а топливо подорожало на треть. Старшеклассники ночуют у родственников, чтобы не пропускать
занятия. Глава района объявила новый конкурс и пообещала доплачивать за каждый километр. До его итогов
школьников возит лесхоз на собственной вахтовой машине.""",
)

VIETNAMESE: Final = Language(
    name="vietnamese",
    marked="""Làng gốm Bến Sậy thắp lại lò nung sau mười năm tắt lửa

Sáng chủ nhật, hơn ba trăm người dân làng Bến Sậy đã tụ họp bên bờ sông để xem lò nung cổ được thắp lửa
trở lại sau mười năm bỏ hoang. Nghệ nhân Đoàn Thị Lựu, 78 tuổi, là người [châm|nhóm] ngọn lửa đầu tiên
bằng bó rơm khô do các cháu học sinh mang đến. "Tôi cứ tưởng mình không còn được thấy khói lò nữa", bà
nói trong nước mắt. Lò nung dài 27 mét được xây bằng đất sét và vỏ trấu, mỗi mẻ chứa khoảng bốn nghìn
sản phẩm và phải cháy liên tục năm ngày đêm. {Trời mưa nhẹ nhưng không ai bỏ về. }Hợp tác xã địa phương
đã vay 1,9 tỷ đồng để sửa mái, mua men và thuê thợ trẻ từ tỉnh <Khánh Hòa|Khánh Hoà>. Theo chủ nhiệm
Trần Quốc Bảo, ba khách sạn lớn ở thành phố đã đặt trước mười hai nghìn chiếc bát hoa lam cho mùa du
lịch năm sau. Tuy vậy, [nhiều|một số] hộ vẫn lo giá củi tăng và khói ảnh hưởng đến trường mẫu giáo gần
đó. Sở Môi trường yêu cầu lắp bộ lọc bụi trước tháng sáu, nếu không lò sẽ phải [ngừng|dừng] hoạt động.
Lớp học nghề đầu tiên khai giảng tuần tới với hai mươi học viên, phần lớn là con em những gia đình từng
rời làng đi làm công nhân.""",
    unrelated="""Thợ dệt chiếu Cồn Lau xoay xở giữ nghề

Giá cói xuống thấp khiến quá nửa số khung cửi ở Cồn Lau im tiếng từ đầu mùa khô. Chị Phạm Hồng Nhạn
chuyển sang đan túi xách cho cửa hàng trên mạng, mỗi tháng kiếm thêm hai triệu đồng. Ủy ban xã dự định
mở gian trưng bày cạnh bến phà và mời sinh viên mỹ thuật về vẽ mẫu. Người già trong xóm thì mong có máy
chẻ cói để đỡ nhọc, còn lớp trẻ chỉ muốn được ký hợp đồng lâu dài.""",
)

HINDI: Final = Language(
    name="hindi",
    retype=retype_hindi,
    marked="""चंदनपुर में सौ साल पुराना पुस्तकालय फिर खुला

चंदनपुर के ऐतिहासिक सरस्वती पुस्तकालय को सात साल की मरम्मत के बाद रविवार को पाठकों के लिए फिर से खोल
दिया गया। उद्घाटन करते हुए नगर अध्यक्ष मीनाक्षी राठौड़ ने कहा, "किताबों की यह इमारत हमारे शहर की आत्मा
है।" भवन की छत 2018 के तूफ़ान में गिर गई थी और करीब नौ हज़ार किताबें पानी में [भीग|डूब] गई थीं।
स्वयंसेवकों ने पन्नों को एक-एक कर सुखाया और पांडुलिपियों को डिजिटल रूप में सुरक्षित किया। {समारोह में
स्कूली बच्चों ने गीत गाए। }मरम्मत पर 6 करोड़ 40 लाख रुपये खर्च हुए, जिनमें से आधी रकम पुराने
विद्यार्थियों ने चंदे के रूप में [दी|भेजी]। मुख्य वास्तुकार इमरान फ़ारूक़ी के अनुसार लकड़ी की मूल
सीढ़ियाँ बचा ली गई हैं और खिड़कियों में वही रंगीन काँच लगाया गया है जो 1924 में <सम्बन्धित|संबंधित>
कारीगरों ने बनाया था। अब यहाँ दृष्टिबाधित पाठकों के लिए ब्रेल कक्ष, बच्चों का कोना और रात दस बजे तक
खुला रहने वाला वाचनालय भी होगा। सदस्यता शुल्क साल भर के लिए सौ रुपये रखा गया है, जबकि छात्राओं से कोई
शुल्क नहीं लिया जाएगा। शहर के लेखकों ने माँग की है कि हर महीने एक साहित्य गोष्ठी हो और दुर्लभ पुस्तकों
की सूची [जल्द|शीघ्र] प्रकाशित की जाए।""",
    unrelated="""बेलवाड़ी के संग्रहालय में चोरी, तीन मूर्तियाँ गायब

बेलवाड़ी के लोक संग्रहालय से मंगलवार रात तीन कांस्य मूर्तियाँ चोरी हो गईं। चौकीदार ने पुलिस को बताया कि
बिजली कटने के दौरान पीछे का दरवाज़ा टूटा मिला। निदेशक अरुंधती जोशी ने कैमरों के बंद होने पर जाँच बिठाई
है। पुलिस अधीक्षक ने आसपास के ज़िलों में नाकेबंदी कराई और सूचना देने वाले को पचास हज़ार का इनाम घोषित
किया। जानकारों को शक है कि माल सीमा पार भेजा जा सकता है।""",
)

TURKISH: Final = Language(
    name="turkish",
    upper=upper_turkish,
    retyped_relation="near",  # case folding knows nothing of dotless i
    marked="""Ilgınlı'da iki köyü ayıran sınır taşı yerine kondu

Ilgınlı ilçesinde iki köyü yıllardır birbirine düşüren sınır taşı, mahkeme kararının ardından cuma günü
jandarma eşliğinde eski yerine kondu. Taşın bir gecede ortadan kaybolduğu 1987 yılından bu yana
Akçapınar ve Kuzualan köyleri aynı otlak için kavga ediyordu. Kaymakam İsmail Yıldırgan, "Artık herkes
kendi merasını biliyor" diyerek köylüleri [barışmaya|uzlaşmaya] çağırdı. Bilirkişi raporuna göre
tartışmalı arazi 340 dönüm büyüklüğünde ve üçte ikisi Akçapınar'a ait. {Törenin sonunda pilav
dağıtıldı. }Taşı kuyusunu temizlerken bulan çiftçi Hıdır Işıldak, üzerindeki yazıyı önce mezar taşı
[sandığını|zannettiğini] söyledi: "Tarih öğretmeni okuyunca ikimiz de donup kaldık." Uzmanlar, taşın on
dokuzuncu yüzyılın ortasında dikildiğini ve üzerindeki tuğranın <hâlâ|hala> seçilebildiğini belirtiyor.
Kuzualan muhtarı kararı temyize götüreceklerini, ancak bu yaz sürüleri karşı yamaca çıkarmayacaklarını
açıkladı. İlçe tarım müdürlüğü ise iki köye ortak bir sulama göleti önerdi; masrafın yarısını il özel
idaresi karşılayacak. Gölet için ilk toplantı ay sonunda, köylerin tam ortasındaki eski değirmende
[yapılacak|düzenlenecek]. Kadınlar kooperatifi de değirmenin onarılıp peynir atölyesine
dönüştürülmesini istiyor...""",
    unrelated="""Sarıkaya Yaylası'nda otlatma yasağı uzatıldı

Orman işletmesi, kuraklık nedeniyle Sarıkaya Yaylası'ndaki yasağı eylüle kadar uzattı. Çoban Rıza Ildız
koyunlarını kamyonla komşu ile taşımak zorunda kaldığını, nakliyenin kazancından fazlasını götürdüğünü
anlattı. Ziraat odası başkanı yem desteği isterken çevreciler kökleri zayıflayan çayırın iki mevsim
dinlenmesi gerektiğini savundu. Karar itiraz edilirse idare mahkemesine taşınacak.""",
)

GERMAN: Final = Language(
    name="german",
    retype=retype_german,
    marked="""Großer Streit um die Straßenbahn in Mühlgrün beigelegt

Nach elf Jahren Streit haben sich der Stadtrat von Mühlgrün und die Anwohner der Schloßgasse am
Dienstag auf einen Verlauf der neuen Straßenbahn geeinigt. Die Gleise führen nun nicht mehr über den
Marktplatz, sondern außen um die alte Stadtmauer herum. Bürgermeisterin Käthe Größler sprach von einem
"Kompromiß, mit dem alle leben können". Die Umplanung [kostet|verschlingt] rund 17 Millionen Euro und
verzögert die Eröffnung um mindestens zwei Jahre. {Im Saal gab es dafür kräftigen Beifall. }Der
Gemüsehändler Jörg Süßmilch, dessen Laden für die frühere Strecke hätte weichen müssen, will sein
Transparent noch in dieser Woche [abhängen|abnehmen]. Weniger glücklich sind die Schüler des Gymnasiums
im Norden: Ihre Haltestelle rückt um 600 Meter von der Schule weg. Der Verkehrsbetrieb versprach, dass
<während|waehrend> der Bauzeit alle zehn Minuten ein Bus fährt und die Monatskarte nicht teurer wird.
Archäologen begleiten die Arbeiten, weil unter der Straße Reste einer Gerberei aus dem 14. Jahrhundert
liegen. Die fünf häßlichen Betonpfeiler aus den siebziger Jahren, die einst eine Hochbahn tragen
sollten, werden gesprengt. Im Frühjahr sollen die ersten Bäume entlang der Trasse [gepflanzt|gesetzt]
werden, darunter 40 Linden, die eine Bürgerstiftung gespendet hat...""",
    unrelated="""Fähre nach Söderoog fällt bis Ostern aus

Weil ein Eisgang den Anleger beschädigt hat, bleibt die Hallig Söderoog bis Ostern ohne Fähre.
Lebensmittel und Post bringt ein Hubschrauber der Küstenwache, wenn der Wind es zulässt. Deichgraf Ocke
Brüning rechnet mit einer Reparatur in drei Wochen, sobald der Schwimmkran frei ist. Touristen müssen
ihre Zimmer umbuchen; die Wirtin des einzigen Gasthofs nimmt es gelassen und streicht in der ruhigen
Zeit die Fensterläden.""",
)

LANGUAGES: Final = (
    ARABIC, URDU, CHINESE, JAPANESE, THAI, RUSSIAN, VIETNAMESE, HINDI, TURKISH, GERMAN,
)  # fmt: skip
