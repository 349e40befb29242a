# Русский. В сообщениях HTML; кнопки, всплывающие ответы и команды показываются как есть.

language-name = Русский

## Меню команд

command-start = Что умеет этот бот
command-styles = Стили, в которых я рисую
command-settings = Сила стиля, кисть, цвета, размер
command-status = Ваши картины в работе
command-cancel = Остановить и начать сначала
command-language = Язык · Language
command-forget = Забыть меня и мои картины
command-help = Как это работает
command-stats = Состояние бота в цифрах
command-style = Перерисовать фото, на которое вы отвечаете

## Кнопки

button-styles = 🎨 Посмотреть стили
button-own-style = 🖼 Свой стиль
button-mix = 🎭 Смешать два
button-mix-off = 🎭 Только один стиль
button-options = ⚙️ Настройки
button-all-options = ⬅️ Все настройки
button-back = ⬅️ Назад к стилям
button-cancel = ✖️ Отмена
button-stop = ✖️ Отменить
button-stop-numbered = ✖️ Отменить { $number }
button-finish = ✅ Хватит, оставить так
button-another-style = 🎨 Другой стиль
button-stronger = 💪 Сильнее
button-weaker = 🪶 Слабее
button-larger = 🔍 Крупнее
button-own-colors = 🌈 Мои цвета
button-style-colors = 🌈 Цвета стиля
button-as-style = 🖌 Взять как стиль
button-file = 💾 Файлом
button-share = 📤 Поделиться
button-still = 🖼 Перерисовать первый кадр
button-yes = ✅ Да
button-try-again = 🔁 Ещё раз
button-language = 🌐 Язык
button-forget = 🧹 Забыть всё
button-keep = ⬅️ Нет, оставить

## Каким будет рисунок

# На кнопках, которые открывают выбор

row-strength = 💪 Сила стиля: { $choice }
row-brush = 🖌 Кисть: { $choice }
row-colors = 🌈 Цвета: { $choice }
row-quality = 📐 Размер: { $choice }

# На кнопках выбора

option-subtle = мягко
option-balanced = в меру
option-strong = сильно
option-thin = тонкая
option-medium = средняя
option-broad = широкая
option-style = от стиля
option-own = с моего фото
option-quick = набросок
option-standard = обычный
option-fine = тщательно
option-large = большой

# В подписях

strength-faint = едва заметный стиль
strength-subtle = мягкий стиль
strength-balanced = стиль в меру
strength-strong = сильный стиль
brush-thin = тонкая кисть
brush-medium = средняя кисть
brush-broad = широкая кисть
colors-style = цвета стиля
colors-own = мои цвета
quality-quick = набросок
quality-standard = обычный размер
quality-full = полный размер
quality-fine = тщательная прорисовка
quality-large = большой размер

## Путь фотографии

-introduction =
    Я перерисовываю фотографии в стиле картины.

    📷 Пришлите фото,
    🎨 выберите стиль или пришлите картинку, стиль которой вам нравится,
    ✨ и смотрите, как фото становится картиной.

    Начнём? Пришлите мне фото.
start =
    👋 Здравствуйте, <b>{ $name }</b>! { -introduction }
start-without-name =
    👋 Здравствуйте! { -introduction }
help =
    <b>Как это работает</b>

    1. Пришлите фото (или файл с картинкой до 20 МБ).
    2. Нажмите на номер стиля. Или нажмите «Свой стиль» и пришлите любую картинку: репродукцию, узор, рисунок.
    3. Смотрите, как появляется картина. Остановить меня можно в любой момент: картина останется какой есть.

    Ещё быстрее: пришлите фото с названием стиля в подписи. Или две картинки одним альбомом: сначала фото, потом стиль. В группе ответьте на фото командой /style.

    /styles – сначала выбрать стиль
    /settings – сила стиля, кисть, цвета, размер
    /status – ваши картины в работе
    /cancel – остановить и начать сначала
    /language – русский или английский
    /forget – забыть меня и мои картины
choose-style =
    🎨 <b>В каком стиле нарисовать?</b>
    Нажмите на его номер.
choose-style-for-new-photo =
    📷 Хорошо, возьму это фото вместо прежнего.
    🎨 <b>В каком стиле нарисовать?</b> Нажмите на его номер.
choose-another-style = 🎨 <b>То же фото в другом стиле:</b> какой выберем?
gallery-look = ⚙️ <i>{ $look }</i>
choose-style-first =
    🎨 <b>Вот мои стили.</b>
    Нажмите на номер, а потом пришлите фото.
choose-first-of-two = 🎭 <b>Смесь двух стилей.</b> Выберите первый.
choose-second-of-two = 🎭 <b>{ $style }</b> и …? Выберите второй.
write-as-yourself = 🎭 Когда пишут от имени группы или канала, я не вижу, кто это. Напишите от своего имени или пришлите мне фото в личку.
choose-style-in-group = 🎨 { $name }, <b>в каком стиле нарисовать?</b>
choose-options =
    ⚙️ <b>Как рисовать?</b>
    Нажмите на то, что хотите изменить. Я запомню это для всех ваших картин.
choose-strength =
    💪 <b>Сила стиля:</b> насколько сильно он может изменить фото?
choose-brush =
    🖌 <b>Кисть:</b> насколько крупными будут мазки?
choose-colors =
    🌈 <b>Цвета:</b> взять от стиля или оставить с вашего фото?
choose-quality =
    📐 <b>Размер:</b> насколько большой будет картина?
    Набросок готов почти сразу, большую картину придётся подождать.
did-you-mean = 🤔 Вы имели в виду <b>{ $style }</b>?
send-style-picture = 🖼 Пришлите картинку, стиль которой вам нравится: репродукцию, узор, что угодно с яркими мазками и цветами.
send-photo-for-style = <b>{ $style }</b> – отличный выбор! Теперь пришлите фото.
send-photo-for-own-style = Прекрасный стиль! Теперь пришлите фото.
own-style-first = 🖼 Сначала пришлите картинку, стиль которой вам нравится, а потом я попрошу ваше фото.
album-taken = Две картинки сразу: первая – ваше фото, вторая – стиль. Остальные пропущу.
no-presets = Своих стилей у меня здесь нет: пришлите картинку, стиль которой вам нравится.
choose-language = 🌐 На каком языке говорить? · Which language shall I speak?
language-chosen = 🌐 Хорошо, говорим по-русски.
forget-question =
    🧹 <b>Забыть вас?</b>
    Я остановлю то, что рисую для вас, и удалю всё, что храню: ваши фото, стили, настройки и мои картины. Сообщения в нашем чате останутся, пока вы их не удалите.
forgotten = 🧹 Готово, я больше ничего о вас не храню. Если захотите новую картину, пришлите фото.

## Ответы на нажатие кнопки

toast-chosen = { $style }: теперь пришлите фото.
toast-chosen-first = { $style } уже выбран первым: выберите другой.
toast-already-painting = Уже рисую!
toast-old-button = Эта кнопка от прошлой картины. Вот стили.
toast-not-open = Эта кнопка от прошлой картины.
toast-not-yours = Это чужая кнопка. Ответьте на фото командой /style, и будет своя.
toast-stopped = Остановлено.
toast-finishing = Секунду, заканчиваю как есть.
toast-not-running = Эту картину я уже не рисую.
toast-cancelled = Отменено.
toast-painting-again = Рисую ещё раз.
toast-file-gone = Файлы я храню недолго, и этого уже нет. Попросите нарисовать ещё раз, и будет новый.
toast-not-forgotten = Хорошо, всё остаётся как есть.
toast-kept = Запомнил: так и буду рисовать.

## Отмена и обзор

cancelled-dialog = Хорошо, отменил. Присылайте фото, когда захотите.
cancelled-jobs =
    { $count ->
        [one] Хорошо, я остановил { $count } картину. Присылайте фото, когда захотите.
        [few] Хорошо, я остановил { $count } картины. Присылайте фото, когда захотите.
        [many] Хорошо, я остановил { $count } картин. Присылайте фото, когда захотите.
       *[other] Хорошо, я остановил { $count } картины. Присылайте фото, когда захотите.
    }
nothing-to-cancel = Отменять нечего. Присылайте фото, когда захотите.
status-none = Сейчас я ничего для вас не рисую. Пришлите фото!
status-title = <b>Ваши картины в работе:</b>
status-painting = 🖌 { $number }. { $style }: { $percent }%
status-waiting =
    { $count ->
        [0] ⏳ { $number }. { $style }: следующая в очереди
        [one] ⏳ { $number }. { $style }: перед ней { $count } картина
        [few] ⏳ { $number }. { $style }: перед ней { $count } картины
        [many] ⏳ { $number }. { $style }: перед ней { $count } картин
       *[other] ⏳ { $number }. { $style }: перед ней { $count } картины
    }
status-time = ⏱ готово через { $duration }

## Что не годится и что сделать вместо этого

hint = Пришлите фото, и я сделаю из него картину. Что я умею, покажут /styles и /help.
hint-choose = Нажмите на номер стиля выше или напишите его название. Показать стили снова: /styles, начать сначала: /cancel.
hint-style-picture = Я жду картинку, стиль которой вам нравится. Пришлите её как фото, выберите из моих /styles или начните сначала: /cancel.
hint-photo = Стиль выбран, теперь нужно фото. Пришлите его или начните сначала: /cancel.
offer-still = 🎞 Анимации я не рисую, но могу перерисовать первый кадр. Хотите? Или пришлите фото.
refused-animation = Анимации я не рисую. Пришлите фото или скриншот.
refused-video = Видео я не рисую. Пришлите фото или скриншот.
refused-voice = Я не слышу, только вижу! Пришлите фото.
refused-sticker = Милый стикер! Но рисую я только по фото: пришлите мне его.
refused-heic = Файлы HEIC я не открываю. Пришлите картинку как фото, а не файлом, и всё получится.
refused-document = Не могу открыть этот файл как картинку. Пришлите фото, JPEG или PNG.
refused-large = Этот файл больше 20 МБ, Telegram не даёт мне его скачать. Пришлите его как фото, а не файлом, или уменьшите.

## Сообщения о картине в работе

own-style = 🖼 ваш собственный стиль
job-title = <b>{ $style }</b>
job-look = <i>{ $look }</i>
waiting-soon = Фото получено, сейчас начну.
waiting-behind =
    { $count ->
        [one] ⏳ Перед вашей – { $count } картина.
        [few] ⏳ Перед вашей – { $count } картины.
        [many] ⏳ Перед вашей – { $count } картин.
       *[other] ⏳ Перед вашей – { $count } картины.
    }
waiting-time = ⏱ Будет готово через { $duration }.
waiting-time-unknown = ⏱ Сколько ждать, скажу, как только начну.
painting = { $bar } { $percent }%
painting-time = ⏱ ещё { $duration }
painted = ✨ Готово: <b>{ $style }</b>
painted-sooner = Сделал поменьше, чтобы вам не ждать долго. Нужен полный размер – нажмите «Крупнее», это дольше.
painted-largest = Крупнее у меня не получится.
ready = ✨ Ваша картина готова!
moved = ✨ <b>{ $style }</b>: готово, смотрите ниже ⬇️
failed = 😔 { $reason }
failed-style = 😔 Про картинку со стилем: { $reason }
cancelled-job = Остановлено. Ваше фото у меня осталось: выберите другой стиль или пришлите новое.
share-none = Прислать фото и получить картину
file-caption = 💾 { $style }, в полном качестве

duration-moment = несколько секунд
duration-seconds =
    { $count ->
        [one] ≈ { $count } секунду
        [few] ≈ { $count } секунды
        [many] ≈ { $count } секунд
       *[other] ≈ { $count } секунды
    }
duration-minutes =
    { $count ->
        [one] ≈ { $count } минуту
        [few] ≈ { $count } минуты
        [many] ≈ { $count } минут
       *[other] ≈ { $count } минуты
    }
duration-hours =
    { $count ->
        [one] ≈ { $count } час
        [few] ≈ { $count } часа
        [many] ≈ { $count } часов
       *[other] ≈ { $count } часа
    }

## Неудачи, по кодам impasto.errors.ChatError

failure-not_a_picture = Этот файл – не картинка. Пришлите фото, JPEG или PNG.
failure-unsupported_format = Такой формат я не открываю. Пришлите картинку как фото.
failure-broken_picture = Картинка повреждена, открыть её не получается. Пришлите другую.
failure-picture_too_small = Картинка слишком маленькая. Пришлите побольше.
failure-picture_too_large = В картинке слишком много пикселей. Пришлите её как фото, не файлом.
failure-picture_too_narrow = Картинка слишком длинная и узкая. Обрежьте её или пришлите другую.
failure-file_too_large = Этот файл больше 20 МБ, Telegram не даёт мне его скачать. Пришлите его как фото.
failure-file_gone = У Telegram больше нет этой картинки. Пришлите её, пожалуйста, ещё раз.
failure-too_many_jobs = Больше картин сразу я взять не могу. Дождитесь готовой или отмените одну: их покажет /status.
failure-too_many_this_hour = Больше картин за час я для одного человека не рисую.
failure-too_many_waiting = Очередь сейчас слишком длинная, вашу картину пока взять не могу.
come-back-in = Возвращайтесь через { $duration }.
come-back-later = Возвращайтесь чуть позже.
failure-painting_failed = Что-то пошло не так, пока я рисовал. Попробуйте ещё раз.
failure-plugin_failed = С этой картиной что-то не вышло. Попробуйте другой стиль или повторите позже.
failure-out_of_memory = Сейчас эта картина у меня не выходит. Попробуйте чуть позже или пришлите картинку поменьше.
failure-job_vanished = Ваша картина у меня потерялась. Пришлите, пожалуйста, фото ещё раз.
failure-photos_forbidden = В этой группе мне нельзя отправлять фото. Разрешить это может кто-то из админов.
failure-style_gone = Этого стиля у меня больше нет. Выберите, пожалуйста, другой.

## Сообщения не о картинах

notice-not_allowed = Этот бот – для узкого круга. Попросите владельца вас добавить.
notice-handler_failed = Извините, что-то пошло не так. Попробуйте ещё раз или отправьте /start.
notice-no_room = Сейчас у меня нет места для новых картин. Возвращайтесь чуть позже.

# Для владельцев, чей язык неизвестен

notice-disk_full =
    ⚠️ Диск заполнен; картины ждут, пока не появится место.

    ⚠️ The disk is full; pictures wait until there is room: { $why }. <code>impasto doctor</code> says where.
notice-machine_fails =
    ⚠️ С сервером что-то не так; картины ждут, пока он не заработает.

    ⚠️ Something is wrong with this machine; pictures wait until it works again: { $why }. <code>impasto doctor</code> may know more.
notice-plugin_fails =
    ⚠️ Плагин <b>{ $plugin }</b> даёт сбои: люди остаются без картин или ответов. Подробности в журнале.

    ⚠️ The plugin <b>{ $plugin }</b> does not work, and people notice it: { $why }. The log says where; to do without it, name it in <code>plugins.deny</code>.
notice-painter_keeps_dying =
    ⚠️ Процесс рисования падает ({ $count } за { $minutes } мин.); картины ждут или не получаются.

    ⚠️ The painting process has died { $count } times within { $minutes } minutes; pictures wait or fail. The last time: { $why }. <code>impasto doctor</code> may know more.

## Для владельцев

stats =
    📊 <b>Бот в цифрах</b>
    🎨 рисую: { $running }, ждут: { $waiting }, отправляю: { $delivering }
    ✅ доставлено: { $done }, не вышло: { $failed }, отменено: { $cancelled } (из тех, что ещё хранятся)
    ⏱ одна картина: { $one }; все ожидающие: { $all }
    💻 рисую на: { $device }
    🕰 работаю { $uptime }
stats-unknown = пока неизвестно
