import Support
import Testing

@Suite("Text table")
struct TextTableTests {
    @Test("columns are as wide as their widest cell, and a colour does not count")
    func columns() {
        var table = TextTable(header: ["pod", "state", "note"])
        table.add(["shop/web", "ready", "x"])
        #expect(table.lines() == ["pod       state  note", "shop/web  ready  x"])
        let marked = table.lines { cell, row, column in row == 1 && column == 0 ? "<\(cell)>" : cell }
        #expect(marked == ["pod       state  note", "<shop/web>  ready  x"])
    }
}
