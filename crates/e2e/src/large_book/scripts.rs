//! What is done and seen in the page.

/// How far the list moves with each frame: as somebody scrolls who reads, and from end to end within seconds.
pub(super) const SLOWLY: u32 = 40;
pub(super) const THROUGH_ALL: u32 = 1_600;

/// Before all else of a page: notes when the module was compiled, when the first row was on the screen, and where the module's
/// memory is.
pub(super) const CLOCK: &str = "
    const observer = new MutationObserver(() => {
        if (!document.querySelector('[data-contact]')) return;
        observer.disconnect();
        const shown = new MessageChannel();
        shown.port1.onmessage = () => { window.firstRow = performance.now() };
        requestAnimationFrame(() => shown.port2.postMessage(null));
    });
    observer.observe(document, { subtree: true, childList: true });
    for (const name of ['instantiate', 'instantiateStreaming']) {
        const real = WebAssembly[name];
        WebAssembly[name] = async (...given) => {
            const made = await real.apply(WebAssembly, given);
            window.compiled = performance.now();
            window.moduleMemory = (made.instance ?? made).exports.memory;
            return made;
        };
    }";

pub(super) const FIRST_ROW: &str = "return window.firstRow";

pub(super) const MODULE_MEMORY: &str = "return window.moduleMemory.buffer.byteLength";

pub(super) const IS_HERE: &str = "return document.querySelector('#people > li')?.ariaSetSize === String(args)";

/// Whether the store has the book up to its last entry.
pub(super) const IS_STORED: &str = "
    const look = async () => {
        const name = (await indexedDB.databases()).map(it => it.name).find(it => it.startsWith('tidebook-'));
        const open = indexedDB.open(name);
        await new Promise(ready => { open.onsuccess = ready });
        const heads = open.result.transaction('heads').objectStore('heads').getAll();
        await new Promise(ready => { heads.onsuccess = ready });
        open.result.close();
        window.isStored = heads.result.some(it => JSON.parse(it).seq === args);
    };
    look();
    return window.isStored";

/// Reads what is stored of the book, and parses it with the browser's own parser.
pub(super) const PARSE_ALL: &str = "
    (async () => {
        const name = (await indexedDB.databases()).map(it => it.name).find(it => it.startsWith('tidebook-'));
        const start = performance.now();
        const open = indexedDB.open(name);
        await new Promise(ready => { open.onsuccess = ready });
        const all = open.result.transaction(['states', 'entries']);
        let count = 0;
        for (const rows of ['states', 'entries']) {
            const found = all.objectStore(rows).getAll();
            await new Promise(ready => { found.onsuccess = ready });
            for (const row of found.result) count += Object.keys(JSON.parse(row)).length;
        }
        const took = performance.now() - start;
        open.result.close();
        done(took);
    })()";

/// Types each of the words, letter by letter, and takes it away again.
pub(super) const SEARCH: &str = "
    (async () => {
        const field = document.querySelector('#search');
        const shown = () => new Promise(tell => {
            const channel = new MessageChannel();
            channel.port1.onmessage = () => tell(performance.now());
            requestAnimationFrame(() => channel.port2.postMessage(null));
        });
        const found = [];
        for (const word of args) {
            const steps = [...word].map((_, at) => word.slice(0, at + 1));
            for (const words of [...steps, '']) {
                await shown();
                const before = performance.now();
                const frame = (await shown()) - before;
                const start = performance.now();
                field.value = words;
                field.dispatchEvent(new Event('input', { bubbles: true }));
                found.push({ words, frame, took: (await shown()) - start });
            }
        }
        done(found);
    })()";

/// Scrolls for three seconds, down and up again where the end is near, and counts frames.
pub(super) const SCROLL: &str = "
    (async () => {
        const list = document.querySelector('#people');
        const pane = list.closest('.list');
        const scroller = pane.scrollHeight > pane.clientHeight + 1 ? pane : document.scrollingElement;
        scroller.scrollTop = 0;
        const frame = () => new Promise(requestAnimationFrame);
        await frame();
        await frame();
        const middle = [list.getBoundingClientRect().left + 40, innerHeight / 2];
        let [frames, rows, holes, longest, by] = [0, 0, 0, 0, args];
        const start = await frame();
        for (let last = start, now = start; now - start < 3000; last = now) {
            const end = scroller.scrollHeight - scroller.clientHeight;
            if (scroller.scrollTop + by > end || scroller.scrollTop + by < 0) by = -by;
            scroller.scrollTop += by;
            now = await frame();
            frames += 1;
            longest = Math.max(longest, now - last);
            rows = Math.max(rows, list.children.length);
            if (!document.elementFromPoint(...middle)?.closest('li')) holes += 1;
            window.scrolled = now - start;
        }
        scroller.scrollTop = 0;
        done({ frames_a_second: frames * 1000 / window.scrolled, rows, holes, longest });
    })()";

/// As many rows, of the same height, and nothing else.
pub(super) const PLAIN_ROWS: &str = "
    const section = document.createElement('section'), list = document.createElement('ul');
    section.className = 'list';
    list.id = 'people';
    for (let row = 0; row < args; row += 1) {
        const item = document.createElement('li');
        item.textContent = `Row ${row}`;
        item.style.height = '48px';
        list.append(item);
    }
    section.append(list);
    document.body.append(section);";
