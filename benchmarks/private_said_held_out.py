"""What callers say on the telephone, the half that is never looked at: only its numbers are."""

from __future__ import annotations

from benchmarks.private_templates import HELD_OUT, Half, lines, words

SAID_HELD_OUT = Half(
    sentences=lines("""
        喂，我是{address}的老住户，我们这里没有热水
        我家就在{address}，天天闻到油烟味
        你好，我名字叫{name}，想说说停车的事
        我呀，大名{name}，在这里住了四十年
        您就记{name}吧，是我老头子
        有事打给我，号码是{mobile}
        回电话就打这个号，{mobile}
        我手机号是{mobile}，别打错了
        家里的电话是{landline}，晚上有人
        身份证号码是{id}，你们查一查
        我报一下身份证，{id}
        退休金那张卡，{card}，两个月没进账
        银行卡的号码是{card}
        挡在门口的车，车牌号{plate}
        车牌{plate}，白色的面包车
        我老伴叫{name}，他耳朵不好
        我女儿名叫{name}，你们同她讲
        负责人是{name}，打电话从来不接
        请你转告{name}，叫他来看一看
        我姓{surname}，名字就不说了
        我叫{name}，我支持装电梯
        我叫{name}，住在{address}
        喂，我是{name}，昨天来过电话的
        住址是{address}，屋顶漏水
        东西请送到{address}
        人就在{address}，快派人来看看吧
        你们到{address}来看一下就知道了
        住{address}的那一家，半夜打麻将
        麻烦通知{name}来领老年卡
        找{name}就行，他的手机是{mobile}
        联系电话{mobile}，找我儿子
        打{mobile}，随时都可以
        微信和手机一个号，{mobile}
        存折号是{card}，帮我看看
        社保卡的号码{card}，看病刷不了
        座机是{landline}，手机我不会用
        楼上的{name}把水倒在我家阳台上
        我是新搬来的，叫{name}
        房主是{name}，房子租出去了
        租房子的人叫{name}，身份证{id}
        我外孙{name}今年上小学
        村民{name}反映，路灯不亮
        我们组长{name}可以作证
        是{name}叫我打这个电话的
        寄信就写{address}，{name}收
        上个月刚搬到{address}，还没有装宽带
        门牌是{address}，好找得很
        我妈妈{name}九十岁了，要人照顾
        我身份证号{id}，想办老年证
        我的车是{plate}，被人划了
        手机尾号记不住，全号是{mobile}
        你打{landline}这个电话找我
        业主{name}，电话{mobile}
        我姓{surname}，住{address}，楼道灯不亮
        我的号码你记好，{mobile}，再说一遍也行
        病人叫{name}，医保卡号{card}
    """),
    plain=lines("""
        菜场里的鱼摊污水直接流到路上
        我们想在院子里放两张石桌子
        年轻人上班都走了，白天只剩老人
        公交站牌被树挡住了，看不清
        下雨天楼道里全是水，容易滑倒
        能不能请医生到社区来量血压
        理发店的音响开得太响
        我住这里二十年了，从来没有见过这样的事
        孙子放学要过一条马路，没有红绿灯
        老人食堂的饭菜偏咸，能不能淡一点
        电话打了三次，每次都说在开会
        垃圾车早上四点半就来，声音很大
        三楼和四楼中间的栏杆松了
        希望多办几场戏，我们爱听
        儿子给我买了手机，我不会用
        楼下的花坛种了菜，味道很大
        快递柜装得太高，我够不着
        我叫不上名字的那种树，飘得到处是毛
        门口的路坑坑洼洼，轮椅过不去
        去年冬天水管冻裂了，修了五天
        夏天蚊子多，能不能打打药
        充电的车停在楼梯口，怕着火
        活动室周末不开门，没有地方去
        我觉得这个办法好，我同意
        停车位一个月要三百块，太贵了
        邻居家的空调水滴到我窗台上
        晚上九点以后广场上还有人唱歌
        那个井盖一有车过就响
        老年卡坐车打几折，我想问问
        银行离得太远，取钱不方便
        志愿者帮我们打扫卫生，谢谢他们
        办证要跑三个地方，太麻烦
        我家的水表转得比别人家快
        单元门的锁坏了半个月
        健身的器材上面没有遮雨的棚子
        上次开会说的事情有没有下文
    """),
    addresses=(
        "{estate}{n}号楼{u}单元{room}",
        "{estate}{n}栋{floor}楼{room}",
        "{road}{n}号{u}门{room}",
        "{estate}{n}座{room}",
        "{village}屯{n}队{u}号",
        "{road}{n}号院{u}号楼{room}",
        "{estate}{n}号楼{u}门{room}室",
        "{road}{n}号",
    ),
    surnames=(*HELD_OUT.surnames, *"蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任范"),
    given=(
        *HELD_OUT.given,
        *words("秀珍 志刚 玉梅 桂兰 国庆 雪梅 海燕 晓东 春燕 文华 大勇 建平 小芳 云飞 忠良 月英 林 洁"),
    ),
    strangers=HELD_OUT.strangers,
    estates=(*HELD_OUT.estates, *words("星河湾 阳光城 丹桂苑 邮电新村 柳浪小区 银杏家园 铁路宿舍")),
    roads=(*HELD_OUT.roads, *words("延安路 长江街 书院巷 新华北路 花园路 大同街")),
    villages=(*HELD_OUT.villages, *words("马家 杨树 后河 东王")),
    fillers=HELD_OUT.fillers,
    corrections=HELD_OUT.corrections,
)
