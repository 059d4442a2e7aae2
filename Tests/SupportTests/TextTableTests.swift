import Support
import Testing

@Suite("Text table")
struct TextTableTests {
    @Test("columns are as wide as their widest cell, and a colour takes no room")
    func columns() {
        var table = TextTable(header: ["pod", "state", "note"])
        table.add(["shop/web", "ready", "x"])
        #expect(table.lines() == ["pod       state  note", "shop/web  ready  x"])
        let marked = table.lines { cell, row, column in row == 1 && column == 0 ? "<\(cell)>" : cell }
        #expect(marked == ["pod       state  note", "<shop/web>  ready  x"])
    }

    @Test("numbers stand at the right, also in the last column; nothing stands at the end of a line")
    func alignment() {
        var table = TextTable([.init("map"), .init("entries", .right), .init("note"), .init("bytes", .right)])
        table.add(["np_flows", "3", "", "7"])
        table.add(["total"])
        table.add([])
        #expect(
            table.lines(indent: 2) == [
                "  map       entries  note  bytes", "  np_flows        3            7", "  total", "",
            ])
    }

    @Test("without headings the first row is row 1, and columns may be wider than their cells")
    func plain() {
        var table = TextTable([.init(minimumWidth: 4), .init()])
        table.add(["a", "b"])
        #expect(table.lines { cell, row, _ in "\(cell)\(row)" } == ["a1     b1"])
    }

    @Test("where there is no room columns are hidden or go below their rows, from the last on; nothing is cut")
    func narrow() {
        var table = TextTable([
            .init("pod"), .init("state", narrow: .hidden), .init("rule", narrow: .below), .init("at", narrow: .below),
            .init("n", .right),
        ])
        table.add(["shop/web", "ready", "a-long-rule", "file.yaml:1", "12"])
        table.add(["shop/db", "ready", "", "-", "3"])
        #expect(table.lines(width: 50).first == "pod       state  rule         at            n")
        #expect(
            table.lines(width: 30) == [
                "pod       rule          n", "shop/web  a-long-rule  12", "    at file.yaml:1",
                "shop/db                 3",
            ])
        #expect(
            table.lines(width: 20) == [
                "pod        n", "shop/web  12", "    rule a-long-rule", "    at file.yaml:1", "shop/db    3",
            ])
        // Below a row as many stand on a line as fit; what cannot make room stays.
        #expect(table.lines(width: 5).count == 5)
        var wide = TextTable([.init("pod"), .init("a", narrow: .below), .init("b", narrow: .below)])
        wide.add(["a-very-long-name-of-a-pod", "1", "2"])
        #expect(wide.lines(width: 25) == ["pod", "a-very-long-name-of-a-pod", "    a 1  b 2"])
        #expect(
            table.lines(width: 20) { cell, row, _ in row == 0 ? "<\(cell)>" : cell }[2] == "    <rule> a-long-rule")
    }
}
