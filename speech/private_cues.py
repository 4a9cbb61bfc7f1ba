"""The words by which names are told in Chinese: what introduces or follows one, what can't be in one."""

from __future__ import annotations

import re

_ROLES = (
    "先生|女士|同志|同学|主任|书记|经理|医生|大夫|护士|老师|小姐|太太|院长|所长|队长|科长|局长|处长|校长|站长|组长|楼长|会长|社长|"
    "村长|乡长|镇长|县长|市长|区长|部长|厅长|省长|主席|律师|法官|警官|教授|老板|总"
)
_ELDERS = (
    "阿姨|大爷|大妈|大娘|大伯|大叔|大姐|大哥|大嫂|师傅|奶奶|爷爷|婆婆|叔叔|伯伯|老太|老头|老汉|老爷子|老人家"
)
_KIN = (
    "老伴儿?|老头子?|老太婆|爱人|丈夫|妻子|老公|老婆|先生|太太|儿子|女儿|闺女|孩子|小孩|孙子|孙女|外孙女?|外甥女?|侄子|侄女|父亲|"
    "母亲|爸爸?|妈妈?|爷爷|奶奶|外公|外婆|哥哥?|弟弟?|姐姐?|妹妹?|嫂子|媳妇|女婿|儿媳妇?|亲家母?|公公|婆婆|岳父|岳母|"
    "邻居|隔壁|楼上|楼下|对门|楼长|组长|房东|房主|租户|租客|住户|业主|居民|村民|用户|老人|患者|病人|同学|同事|朋友|保姆|护工|"
    "老乡|战友|学生|职工|员工|司机|群众|户主|党员"
)
_PARTY = (
    "(?:联系|收件|收货|报修|反映|投诉|申请|举报|经办|当事|登记|求助|负责|办理|反馈|来电|来信|签字|监护|委托|承租|持卡|开户)人|"
    "本人|失主|户主|署名|签名|落款"
)
TITLE = re.compile(f"{_ROLES}|{_ELDERS}")
ELDER = re.compile(_ELDERS)
# Whatever stands here is a name, if it can be one at all.
SURELY = re.compile(
    r"(?:我就?叫做?|[他她]叫做?|名叫|名字就?[叫是]|姓名就?(?:叫|是|为)?|(?:^|(?<=[我他她，]))大名叫?|真名|本名|"
    rf"(?:{_KIN})(?:的?名字)?(?:叫做?|名叫)|"
    rf"(?:{_PARTY})(?:就是|是|叫|写|为|填)[，,：: ]?|(?:{_PARTY})[：:])[，,：: ]?"
)
# A name may stand here.
PERHAPS = re.compile(
    rf"(?:{_PARTY})[，, ]?|(?:{_KIN})(?:的?(?:名字|姓名))?(?:就?是|为)?[，,：: ]?|"
    "我就?是|这里?是|那是|应该是|就是|不是|找一?下?|问一?下?|请|回复|转告|告诉|通知|联系|跟|和|给|让|由|叫|喊|还有|以及|[室号楼栋幢座元村组队区家]的|[零一二三四五六七八九]的|\\d的"
)
# People that may be named, as they sound.
# fmt: off
PEOPLE = (
    "老伴", "爱人", "丈夫", "妻子", "老公", "老婆", "儿子", "女儿", "闺女", "孩子", "孙子",
    "孙女", "外孙", "外孙女", "父亲", "母亲", "爸爸", "妈妈", "爷爷", "奶奶", "外公", "外婆",
    "媳妇", "儿媳", "女婿", "侄子", "侄女", "外甥", "岳父", "岳母", "婆婆", "公公", "哥哥",
    "弟弟", "姐姐", "妹妹", "嫂子", "老头子", "亲家", "邻居", "隔壁", "对门", "楼长", "组长",
    "队长", "村长", "房东", "房主", "户主", "住户", "租户", "租客", "房客", "业主", "居民",
    "村民", "老人", "患者", "病人", "同学", "同事", "战友", "保姆", "护工", "司机", "家属",
    "党员", "经理", "会计", "代表", "志愿者", "网格员", "本人", "姓名", "负责人", "当事人", "承租人",
    "联系人", "收件人", "报修人", "反映人", "投诉人", "申请人",
)
# fmt: on
CALLED_SO = "叫是写"  # may stand between them and their name
# As they sound: whatever stands after these is a name.
NAMING = (
    *("名字叫", "名字是", "名字就是", "名字叫做", "姓名是", "收件人写", "联系人写", "真名叫", "真名是"),
)
# Words before a name, as they sound; how much like a name (speech/name_guesses.py) what follows must look.
INTRODUCTIONS = (
    (2.0, ("我叫", "他叫", "名叫", "叫做", "大名叫", "真名")),
    (2.0, ("联系", "转告", "隔壁的", "楼上的")),
    (2.5, ("我是", "这是", "应该是", "通知", "告诉", "麻烦")),
)
# Others, taken as they are written only.
SOMEBODY = re.compile("[人子主客长员户女孙妈爸公婆伴][叫是]")
WRITTEN = re.compile("找一?下?|请|让|叫|记|问|是")
# What stands around names.
FRAMES = re.compile("是([\u4e00-\u9fff]{2,4}?)(?:[让叫请托]我|介绍|告诉我|说的)")
START = re.compile("^|[，,：:。；！？!、 ]")
CALLED = re.compile(r"(?:我|免贵|[他她]|本人|这人|我家|爱人|老伴|先生)姓[，,：: ]?")
MYSELF = re.compile(r"我就?是(?:[^，。！？我他她]{0,12}的)?")
# What follows a name that stands without any introduction.
FOLLOWS = re.compile(
    r"说|讲|反映|告诉|打来|打电话|来电|家(?![具电长园庭属政])|同志|[，,：: ]?[男女][，,性]|"
    r"[，,]?(?:今年)?[\d一二三四五六七八九十]{2,3}岁|的(?:电话|手机|身份证|车|号码|银行卡)|[，,]?(?:电话|手机|身份证)"
)
ENDS = re.compile(
    rf"[，。、；：！？ ,.!?;:（()）]|$|{_ROLES}|{_ELDERS}|住|今年|电话|手机|身份证|联系|号码|的|家|是|在|"
    "说|讲|想|要|"
    "也|都|我|他|她|你|和|跟|就|不|很|有|没|会|能|来|去|这|那|给|把|被|让|现|已|腿|身体|同意|觉得|认为|希望|反映|问|回|写|打|岁|男|女|人|先|最|独|[0-9零一二三四五六七八九幺]"
)
NEVER_GIVEN = frozenset(
    "我你他她它们的地得了着过是在有和跟与及或也都就还又很太不没把被让给向从到去来住说讲问要想会请电手身"
    "，这那哪谁什么怎因为所以但如果希同反支赞无未经啊吧呢吗呀哦嗯上下里外前后个些点样做打看听找用吃走跑家"
)
# No surname, though they sound like one; no part of any name, however it was misheard.
NO_SURNAME = NEVER_GIVEN | frozenset("连由应像已以又人一该且并混然识各其此只更最多少大小新老好")
NO_PART = frozenset("的了就并和其各我你他她它们这那也很吗呢吧")
# What is called or meant without a name.
NOBODY = re.compile(
    "[我你他她它谁们不都也]|什么|大家|人家|别人|有人|一[个下声次些点直]|孩子|儿子|女儿|老[人公婆伴师]|救护车|"
    "出租|外卖|物业|保安|警察|医生|车|人|停|嚷|来|去|号|苦|好"
)
# What may be said of a name instead of it.
NO_ANSWER = re.compile("什么|不|和|跟|与|电话|号码|地址|在哪|多少|没|谁|错|得|起|很|太|的|了|上|下|里|也|都")
# What is said of people instead of their names, in whatever letters it is written.
STATES = (
    *("无业", "下岗", "退休", "离休", "独居", "有病", "残疾", "低保", "要求", "反映", "说话", "咬不", "走得"),
)
# Surnames that are far more often something else; they need more than a hint.
RARE = frozenset(
    "向何都区来强时和安车楼麻海路全应成单连党支国平计原班门相初盖权花满闻位丰普那解管房司师商边查于"
    "左谷水卫米盘练云容初敬索宣储蓝明项高石金白文古干巴冷皮后官楚南岳农井凌关刁景宫沙常"
)
# What makes of a name the name of a place or a house.
PLACES = re.compile("大道|大街|大学|学院|小学|中学|学校|医院|公司|小区|社区|超市|广场|花园")
PLACE_SIGN = frozenset("镇乡村县市区路街河湖江桥站厂局寺庙庵港某")
# Names that are written by their sound from other tongues.
STRANGER = re.compile(r"[\u4e00-\u9fff]{1,7}[·•・‧][\u4e00-\u9fff]{1,8}")
FOREIGN = frozenset(
    "阿买提古丽巴特尔扎西卓玛顿珠依木江汗吐逊热合曼艾力努库次仁旺达瓦央金格桑乌兰其苏和图雅娜斯琴朝鲁呼日勒布哈别克"
    "孜吾肉麦海萨拉沙穆罕默德亚森帕伊玉素甫赛买克白玛洛桑多吉索朗加措平措罗追尼拥姆益边旦嘎宝音那仁托娅敖登高娃"
    "牧色吉德力格莫日根满都胡恩和乃比亥里米然迪亥西买尔坦居马别肯叶尔"
)
