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
}
