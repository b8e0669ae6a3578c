module meshscript.test/foreign

go 1.24
