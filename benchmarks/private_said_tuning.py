"""What callers say on the telephone, the half that the redactor was made with."""

from __future__ import annotations

from benchmarks.private_templates import TUNING, Half, lines, words

SAID_TUNING = Half(
    sentences=lines("""
        我是住在{address}的，我们家没有暖气
        我住{address}，楼上一直漏水
        喂，我叫{name}，我想反映噪音的问题
        本人姓名{name}，退休工人
        我叫{name}，你叫我老李就行
        我的名字叫{name}，今年八十了
        你们有消息就打我电话，{mobile}
        我的电话号码是{mobile}
        手机{mobile}，这个是我儿子的
        请回我电话，{landline}
        家里座机号码{landline}，白天有人接
        我的身份证是{id}
        身份证号码报给你，{id}
        我的工资卡是{card}，钱没有到
        卡号我念一遍，{card}
        那辆车的车牌号是{plate}，天天乱停
        有一辆黑色的车，{plate}，堵在大门口
        我爱人叫{name}，腿脚不方便
        我儿子名字叫{name}，在外地打工
        物业的经理叫{name}，态度很差
        你告诉{name}，让他给我回话
        我姓{surname}，是退休老师
        你好，我姓{surname}，我同意装电梯
        你好，我是{name}，想问问医保的事
        地址是{address}，一楼没有灯
        我家地址是{address}
        我妈妈住在{address}，一个人
        麻烦到{address}看一看
        {address}有人养了很多鸽子
        我们{address}的下水道堵了
        联系{name}，电话是{mobile}
        他的号码是{landline}，打不通
        微信号就是手机号，{mobile}
        打{landline}找我
        医保卡号是{card}，刷不出来
        存折上面的号，{card}
        隔壁的{name}家天天放鞭炮
        租客叫{name}，半夜吵架
        户主是{name}，人在外地
        我孙子{name}要上小学了
        居民{name}说，井盖坏了
        我是志愿者{name}，我来报名
        楼长是{name}，大家都认识他
        是{name}让我来问的
        收件人写{name}，寄到{address}
        我刚搬到{address}，想办居住证
        门牌号是{address}，很好找
        我父亲{name}，九十二岁了
        证件号码{id}，想补办老年卡
        我的车牌是{plate}，车位被人占了
        我留一个手机号，{mobile}
        有事请打{mobile}，找我女儿
        我叫{name}，家住{address}，电话{mobile}
        我姓{surname}，住在{address}，家里停水了
        老人叫{name}，走丢了
        病人是{name}，身份证号{id}
    """),
    plain=lines("""
        楼下的早餐店油烟太大了
        我们想把空地改成小花园
        白天老人多，晚上年轻人多
        路口的树枝挡住了红绿灯
        楼道里堆满了纸箱子，不安全
        能不能每个月请人来磨剪刀
        广场上的音响声音太大
        我在这里住了三十年，头一回碰到
        孩子上学没有校车，很不方便
        食堂的饭太硬，老人咬不动
        打了好几次电话，都没有人接
        收垃圾的车早上五点就来
        二楼的扶手松了，一碰就响
        过年的时候想看一场戏
        女儿给我装了软件，我不会用
        花坛里的草长得比人高
        信箱的锁都坏了，没人管
        我叫不到车，只好走路去医院
        门前的路一下雨就积水
        前年换的水管，今年又漏了
        蚊子太多，晚上睡不着
        电瓶车在家里充电，太危险
        活动室的空调坏了一个夏天
        我同意这个方案，早点动工
        停车费一个月要两百五十块
        楼上的空调水滴到我家
        跳舞的人到十点还不散
        路上的井盖少了一个
        坐公交要不要带老年卡
        取钱要走两站路，太远了
        谢谢社区的姑娘帮我打扫
        办一张卡跑了三趟，太麻烦
        这个月的电费比上个月多一半
        大门的锁又坏了，谁都能进
        长椅上面没有遮阳的棚子
        上次说要修的路，什么时候修
    """),
    addresses=(
        "{estate}{n}幢{u}单元{room}室",
        "{estate}{n}号楼{room}",
        "{road}{n}弄{u}号{room}室",
        "{village}村{n}组{u}号",
        "{estate}{n}栋{u}单元{room}",
        "{road}{n}号{u}栋{room}室",
        "{n}幢{u}单元{room}",
    ),
    surnames=(*TUNING.surnames, *"朱卢蒋金陆崔陶顾孟侯史尹黎武赖廖熊"),
    given=(
        *TUNING.given,
        *words("淑英 建军 桂芳 玉兰 国平 小红 海波 晓明 秋菊 文娟 大伟 志强 美华 子豪 福根 月琴 涛 静"),
    ),
    strangers=TUNING.strangers,
    estates=(*TUNING.estates, *words("绿洲花园 碧海家园 海棠苑 供电新村 梅园小区 枫叶公寓 棉纺宿舍")),
    roads=(*TUNING.roads, *words("人民路 长安街 状元巷 民生南路 公园路 延河街")),
    villages=(*TUNING.villages, *words("周家 榆树 前河 西杨")),
    fillers=TUNING.fillers,
    corrections=TUNING.corrections,
)
