"""Sentences with places for something private, and sentences without any, in two halves.

The halves share no sentence, no surname, no given name, no street and no style of an address. `TUNING` is
there to be looked at; of `HELD_OUT` only the numbers are looked at, when the redactor is done.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Half:
    """What one half is made of. Places are {name}, {surname}, {mobile}, {landline}, {id}, {card}, {plate},
    {address}, {chat}, {email}; in addresses {n}, {u}, {room}, {floor} are numbers.
    """

    sentences: tuple[str, ...]
    plain: tuple[str, ...]
    addresses: tuple[str, ...]
    surnames: tuple[str, ...]
    given: tuple[str, ...]
    strangers: tuple[str, ...]
    estates: tuple[str, ...]
    roads: tuple[str, ...]
    villages: tuple[str, ...]
    fillers: tuple[str, ...]
    corrections: tuple[str, ...]


def lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.strip().splitlines())


def words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


TUNING = Half(
    sentences=lines("""
        喂，你好，我叫{name}，就住{address}，家里水管爆了
        有消息了麻烦打{mobile}告诉我一声
        我电话你记一下，{mobile}，白天都在家
        这个月的养老金没发，我身份证{id}，帮我查查
        卡号{card}，钱一直没进来
        有辆车天天堵消防通道，车牌是{plate}
        联系人写{name}就行，号码{mobile}
        我儿子叫{name}，他不在本地
        {address}楼上半夜总是拖椅子
        家里座机{landline}，没有手机
        我微信号{chat}，你加我发照片
        邮箱{email}，文件发到那里
        户主{name}，一共四口人
        我老伴{name}腿脚不好，上下楼不方便
        楼下那辆{plate}停了半个月没动过
        医保卡{card}刷不出来，身份证又是{id}
        我这人姓{surname}，说话直
        送到{address}，收件人{name}，{mobile}
        你找{name}问，他最清楚
        我是{name}，我觉得广场舞声音该小一点
        打{landline}一直占线，后来换{mobile}才打通
        老人{name}独居，住{address}，请多去看看
        我是{address}的，下水道又堵了
        登记的时候写错了，应该是{name}，不是我
        隔壁{name}家养了六条狗，叫得人睡不着
        请你们上门看看，{address}，漏得厉害
        社保卡号是{card}，麻烦核对
        她叫{name}，一个人带两个孩子
    """),
    plain=lines("""
        东巷口的路灯坏了三个多月了
        人民路修了半年还没修好
        桃源社区的食堂饭菜不错
        物业费一个月一块八一平米，太贵了
        我打过12345，也打过110，都说归街道管
        二零二三年十月就报上去了，到现在没有下文
        公交206路和18路都不进小区
        我今年八十一岁，腿不好，住六楼
        一共收了三千六百五十块钱
        李主任来看过两次，没有结果
        张书记说年底一定解决
        请居委会的同志给个说法
        三号楼和五号楼之间的那块空地能不能种树
        电梯从一楼到十八楼要等十分钟
        每天早上五点半就开始放音乐
        我们这里有一百二十户人家，四百多口人
        希望高书记能来听听大家的意见
        老张他们几个天天在门口下棋
        王大妈家的菜种到花坛里去了
        文件是国发2021年第15号
        水费单上写着一万两千三百四十五块六
        建设银行门口那个窨井盖翘起来了
        钱还没退，我不着急，慢慢来
        石桥那边太暗了，晚上看不见
        安全第一，方便第二
        我叫他把车挪一挪，他不肯
        我是一个退休工人，我反对加收停车费
        我找过物业，没有用
        我就是想问问什么时候通气
        时间是三月十五号上午九点到十一点
        编号20240315000127的那件事怎么样了
        第二人民医院的班车能不能多停一站
        红旗小学放学的时候堵得走不动
        广场上的灯一二三四盏都不亮
        五六七八月份最热，凉亭里没有风扇
        一是停车，二是垃圾，三是噪音
        我在这里住了三四十年了
        八九点钟车最多，七八十岁的人过不了马路
        热线96345打了没人接
        从1998年住到2024年，管道一次没换
        高压线离阳台太近，周围邻居都怕
        孩子们放学没有地方去，父母都上班
        我妈今年九十二了，上下楼要人背
        常常停水，有时候一停就是两天
    """),
    addresses=lines("""
        {estate}{n}幢{u}单元{room}室
        {estate}{n}号楼{room}
        {road}{n}弄{u}号{room}室
        {village}村{n}组{u}号
        {n}幢{u}单元{room}
        {estate}{n}栋{u}单元{room}
        {road}{n}号{estate}{u}栋{room}室
    """),
    surnames=(*"王张陈周徐马郭罗宋韩曹肖董程沈姚方石邱白秦江龙贺", "欧阳", "诸葛"),
    given=words(
        "建华 国强 秀兰 桂珍 志明 丽 伟 玉芬 春生 德福 小琴 红梅 永康 凤英 海涛 敏 子轩 雨桐 长根 阿宝 素云 "
        "文斌 世杰 彩霞"
    ),
    strangers=("阿依古丽·买买提", "扎西·顿珠", "巴特尔·苏和"),
    estates=("桂花苑", "锦绣东方", "朝阳新村", "机械厂宿舍", "金色家园", "翠湖花园", "育才小区", "荷塘月色"),
    roads=("解放路", "环城东路", "学士街", "马塍路", "中山北路", "青龙巷"),
    villages=("上李", "石门", "大塘", "前进"),
    fillers=("啊", "，然后", "嗯，", "，是"),
    corrections=("不对，是", "哦不，"),
)

NOTHING = Half((), (), (), (), (), (), (), (), (), (), ())

HELD_OUT = Half(
    sentences=lines("""
        同志您好，免贵姓{surname}，想问问食堂的事
        我这边是{address}，厕所堵了三天
        回头你们拨{mobile}，我女儿接
        证件号给您报一下：{id}，是办老年证用的
        工资存折的整个号是{card}，你们对一对
        撞了花坛就跑的那个车，{plate}，大家都看见了
        我爱人名字叫{name}，她也同意
        报修人：{name}，地址：{address}，电话：{mobile}
        请跟{name}联系，他的手机{mobile}，晚上七点以后
        家电话{landline}，响久一点我才听得到
        本人{name}，住{address}已经二十年
        这是我女儿{name}写的，我念给你们听
        加我微信{chat}也行
        材料请寄{address}，谢谢
        {name}说他那天亲眼看见有人倒油漆
        投诉{address}的住户，天天在阳台烧纸
        车位被{plate}占了，打他电话{mobile}也不接
        写信给{email}没人回
        扣款的卡是{card}，身份证号码{id}
        我们楼的楼长{name}人很好
        我的名字是{name}，今年七十八
        {name}，男，七十岁，住{address}，低保户
        我孙女{name}在实验小学上学，接送不方便
        让{name}给我回个话，{landline}
        您好，我姓{surname}，家住{address}，暖气不热
        留个联系方式吧，{mobile}，随便什么时候
        那个号码是{landline}，打过去没人管
        反映人{name}，身份证{id}
    """),
    plain=lines("""
        南门桥头的红绿灯时间太短
        幸福大道两边的树该剪了
        春风社区的老年大学什么时候开学
        停车费从五块涨到了十二块
        打119的时候消防车进不来
        市里的12319说要转给你们
        二零一九年到现在换了四家物业
        坐地铁2号线再转513路公交，要一个半钟头
        修一次电梯花了八万七千块
        请陈局长给我们解释一下
        刘医生每个星期三来坐诊
        赵师傅修得很好，谢谢他
        七号楼二单元的门禁坏了
        顶楼太热了，夏天有四十度
        我们单元十二户，有九户同意
        晚上十点以后不要再跳舞了
        米价从两块八涨到三块五
        文件里写的是2022年12月31号之前完工
        我是低保户，想问问补助的标准
        我找了三趟，每次都说人不在
        我叫孩子去问，人家说要等通知
        能不能把健身器材修一修
        平房那边还在烧煤，呛得很
        关于养狗的规定应该贴出来
        花坛里的花都死了，没人浇水
        党员先锋岗应该带个头
        李阿姨和孙奶奶都说声音太大
        小王刚来社区，很热心
        沙子堆在路中间，安全没有保障
        向阳院的大门一直关不上
        商店门口的台阶太高，轮椅上不去
        垃圾一天清两次就好了，不要攒到第二天
        一二三楼没有水，四五六楼水很小
        总共一千三百五十二平方米的绿地
        单号双号轮流停，我觉得可以
        这个月电费二百三十八块五毛二
        案号是第20230018号，你们可以查
        热线打过去是机器，按一按二按三都不对
        我儿子和女儿都在外地，一年回来一次
        老伴走得早，我一个人住
        邻居都说应该装一个摄像头
        温度计上是三十七度八
        西门到北门要走一千二百步
        我是业主，我希望早点装
    """),
    addresses=lines("""
        {estate}{n}座{room}
        {road}{n}号院{u}号楼{floor}层{room}
        {village}屯{n}队{u}号
        {road}{n}号{u}门{room}
        {estate}第{n}栋{room}房
        {estate}{n}号楼{u}门{room}室
        {road}{n}号
    """),
    surnames=(*"李刘杨黄吴孙胡高林何梁郑谢唐冯于袁邓许傅曾彭吕苏", "司马", "上官"),
    given=words(
        "淑珍 爱民 卫东 金花 学军 芳 磊 美玲 根宝 月娥 浩然 思远 庆丰 兰英 振宇 婷 鹏飞 佳怡 福生 水根 惠芳 "
        "宏亮 立新 翠萍"
    ),
    strangers=("古丽娜尔·艾合买提", "次仁·卓玛", "乌兰·图雅"),
    estates=(
        "滨江壹号",
        "文华苑",
        "东风新村",
        "纺织厂家属院",
        "湖畔佳苑",
        "紫金公寓",
        "新桥小区",
        "水岸名邸",
    ),
    roads=("建国路", "和平西街", "文昌巷", "体育场路", "槐树胡同", "北苑大道"),
    villages=("下王", "柳林", "小河", "胜利"),
    fillers=("哎，", "，后面是", "呃", "，再"),
    corrections=("说错了，是", "不是，"),
)
