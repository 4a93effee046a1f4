"""Words by which crawlers' leftovers are known: menus, buttons, notices, appeals.

`WHOLE` lines consist of nothing else; `STRONG` phrases give a line away
wherever they stand in it; `HINTS` do so in a short line. Matched as folded
words, so without regard to case and punctuation.
"""

from __future__ import annotations

from typing import Final

WHOLE: Final = """
no script | please wait | loading | loading please wait | comments | comment | leave a comment
post a comment
no comments | no comments yet | share | share this | share this article | share this story
share this page
share on facebook | share on twitter | tweet | email | email this | print | print this page
print article
print this article | copy link | link copied | save | bookmark | like | like us | follow | follow us
subscribe
subscribe now | sign in | sign up | log in | login | register | my account | menu | main menu | home
search
search for | skip to content | skip to main content | skip navigation | toggle navigation | toggle menu
close
close menu | open menu | back | back to top | go to top | next | previous | next article
previous article
read more | read also | see also | more | more stories | more news | more from | related
related articles
related stories | related news | related topics | related posts | related content | recommended
recommended for you | you may also like | you might also like | most read | most popular | trending
trending now
latest news | top stories | editors picks | also read | continue reading | continue reading below
story continues below | story continues below advertisement | article continues below
article continues after advertisement | advertisement | advertising | advertisment | ad | ads | sponsored
sponsored content | promoted | promoted content | view comments | show comments | hide comments
load more
show more | view all | view gallery | photo gallery | watch video | watch live | play | play video
listen
local editor | web desk | news desk | staff writer | add to favorites | add to favourites | report error
report this ad | accept | accept cookies | accept all | got it | ok | cookie settings | newsletter
newsletters
contact us | about us | advertise with us | disclaimer | tags | topics | filed under | all rights reserved
teilen | drucken | kommentare | kommentar schreiben | mehr zum thema | lesen sie auch | anzeige | werbung
startseite | weiterlesen | nach oben | zum inhalt springen | menü | anmelden | merken
partager | imprimer | commentaires | lire aussi | à lire aussi | publicité | accueil | rechercher
s abonner
se connecter | lire la suite | haut de page | aller au contenu
compartir | imprimir | comentarios | lea también | le puede interesar | publicidad | inicio | buscar
suscríbete
iniciar sesión | leer más | noticias relacionadas | ir al contenido | volver arriba
condividi | stampa | commenti | leggi anche | pubblicità | accedi | abbonati | leggi tutto
compartilhar | comentários | leia também | leia mais | publicidade | assine | entrar
поделиться | комментарии | комментировать | читайте также | реклама | подписаться | войти | главная
поиск
читать далее | наверх | печать | меню | ещё по теме
مشاركة | شارك | طباعة | تعليقات | أضف تعليق | اقرأ أيضا | اقرأ المزيد | إعلان | الرئيسية | بحث
مواضيع ذات صلة
أخبار ذات صلة | القائمة | تسجيل الدخول | شارك هذا الموضوع | الأكثر قراءة | إعلانات
شیئر کریں | تبصرے | مزید پڑھیں | یہ بھی پڑھیں | اشتہار | پرنٹ کریں | تلاش | ہوم
分享 | 评论 | 打印 | 相关新闻 | 相关阅读 | 广告 | 首页 | 登录 | 注册 | 搜索 | 返回顶部 | 阅读更多
推荐阅读 | 热门新闻
シェア | シェアする | ツイート | 印刷 | コメント | 関連記事 | 広告 | ホーム | ログイン | 検索 | 続きを読む
おすすめ記事 | メニュー
แชร์ | พิมพ์ | ความคิดเห็น | ข่าวที่เกี่ยวข้อง | โฆษณา | หน้าแรก | ค้นหา | อ่านต่อ | อ่านเพิ่มเติม
เข้าสู่ระบบ
chia sẻ | bình luận | in bài | tin liên quan | quảng cáo | trang chủ | tìm kiếm | xem thêm | đọc thêm
đăng nhập
paylaş | yazdır | yorumlar | yorum yap | ilgili haberler | reklam | ana sayfa | anasayfa | giriş yap
devamını oku
साझा करें | शेयर करें | टिप्पणियां | यह भी पढ़ें | और पढ़ें | विज्ञापन | होम | खोजें | संबंधित खबरें
"""

STRONG: Final = """
all rights reserved | all right reserved | rights reserved | email protected | click here to
by clicking here
donate by clicking | please donate | make a donation | consider donating | consider making a contribution
support our journalism | support independent journalism | please support the project | support the project
we need your support | your support to keep | if you like what you read | if you enjoyed this article
sign up for our | sign up to our | sign up for daily | sign up to receive | subscribe to our
subscribe to the newsletter | our newsletter | free newsletter | daily newsletter | daily newsletters
get our newsletter | delivered to your inbox | straight to your inbox | in your inbox | follow us on
follow us at | find us on facebook | like us on facebook | join us on | join our telegram
join our whatsapp
download our app | download the app | terms of service | terms of use | terms and conditions apply
privacy policy | cookie policy | uses cookies | use of cookies | enable javascript
javascript is disabled | your browser does not support | please enable | please wait while
for media inquiries
for media enquiries | contains copyrighted material | copyrighted material the use | copyright owner
copyright holder | sole responsibility of the author | responsibility of the authors
not be responsible for any
does not necessarily reflect | do not necessarily reflect | not necessarily those of
views expressed in this article
opinions expressed in this article | opinions expressed are those | may not be published broadcast
not be published broadcast rewritten | may not be reproduced | cannot be reproduced | no part of this
reproduction in whole or in part | reprint permission | reprint permissions | permission to cross post
fair use in an effort | request permission | without prior written permission
without the express written permission | strictly prohibited without | is strictly prohibited
manage newsletters | manage your subscription | already a subscriber | become a subscriber today
become a member today
subscribe for unlimited | unlimited access | share this article on | share this post | share on facebook
share via email | click to share | opens in new window | leave a reply
your email address will not be published
required fields are marked | view the discussion thread | report a typo | spotted an error
send us your tips
original source of this article | articles by the same | please consider making | keep this news free
alle rechte vorbehalten | newsletter abonnieren | jetzt abonnieren | folgen sie uns
bitte aktivieren sie javascript
datenschutzerklärung | tous droits réservés | abonnez vous | suivez nous sur
politique de confidentialité
reproduction interdite | todos los derechos reservados | suscríbase a | síguenos en
política de privacidad
prohibida la reproducción | aviso legal | tutti i diritti riservati | iscriviti alla newsletter
seguici su
riproduzione riservata | todos os direitos reservados | siga nos | política de privacidade
reprodução proibida
все права защищены | подписывайтесь на | подпишитесь на | при использовании материалов
ссылка на источник обязательна
политика конфиденциальности | جميع الحقوق محفوظة | حقوق النشر محفوظة | تابعنا على | تابعونا على
اشترك في النشرة
للاشتراك في | سياسة الخصوصية | شروط الاستخدام | جملہ حقوق محفوظ | ہمیں فالو کریں | رازداری کی پالیسی
版权所有 | 未经授权不得转载 | 未经许可不得转载 | 禁止转载 | 关注我们 | 扫一扫 | 隐私政策 | 免责声明
責任編輯 | 责任编辑
無断転載 | 無断複写 | 著作権 | メールマガジン | 会員登録 | プライバシーポリシー | สงวนลิขสิทธิ์
ติดตามเราได้ที่ | นโยบายความเป็นส่วนตัว
bản quyền thuộc về | đăng ký nhận tin | theo dõi chúng tôi | chính sách bảo mật | nghiêm cấm sao chép
tüm hakları saklıdır | bizi takip edin | abone olun | gizlilik politikası | सर्वाधिकार सुरक्षित
हमें फॉलो करें
न्यूज़लेटर | गोपनीयता नीति
"""

HINTS: Final = """
copyright | advertisement | sponsored | subscribe | newsletter | add to favorites | to favorites
to favourites
add to favourites | telegram | whatsapp | facebook | twitter | instagram | youtube | linkedin | reddit
pinterest
edited by website | edited by | paypal | photo credit | photo courtesy | image credit | image source
file photo | posted in
posted on | posted by | filed under | last updated | last modified | updated at | published at
minutes ago
hours ago | days ago | months ago | years ago | min read | minute read | minutes read | read more
read also
see also | related topics | related articles | click here | comments | leave a comment | view comments
articles by
source news agencies | source agencies | news agencies | web team | website team | toggle navigation
skip to
urheberrecht | lesezeit | aktualisiert am | crédit photo | temps de lecture | mis à jour le | crédito
tiempo de lectura
фото | источник | автор | المصدر وكالات | آخر تحديث | تصوير | 来源 | 作者 | 编辑 | 記者 | 更新日時 | 写真
nguồn | cập nhật lúc | güncelleme | kaynak | स्रोत | अपडेट
"""


def phrases(text: str) -> list[str]:
    """Return the phrases of one of the lists."""
    return [phrase.strip() for line in text.strip().splitlines() for phrase in line.split("|")]
